#!/bin/sh
# Programs that people read mail with, over IMAPS: each does with a mailbox
# what it is for, and both sides agree afterwards. What is not installed is
# skipped.
. "$(dirname "$0")/../lib.sh"
need_root
need python3 curl
[ -z "$SAN" ] || MESSAGES=${MESSAGES:-200}
MESSAGES=${MESSAGES:-1000}  # for mbsync, half on each side
imap_start 9

HOME=$T/home
mkdir "$HOME"
export HOME
TERM=xterm
export TERM
chmod o+x "$T" # for those who run as another user

user() { # n: its name, its password, its number
	eval "U=\$USER$1 W=\$PASS$1"
	N=$(printf 'user%03d' "$1")
}
have() { # name of the group, program
	command -v "$2" >/dev/null && return
	skip "$1" "no $2 here"
	return 1
}
letters() { # directory first last: one file each, as a Maildir has them
	mkdir -p "$1/cur" "$1/new" "$1/tmp"
	awk -v dir="$1" -v a="$2" -v b="$3" 'BEGIN {
		for (i = a; i <= b; i++) {
			f = sprintf("%s/new/%d.m%d.host", dir, 1700000000 + i, i)
			printf "From: <a@client.test>\nSubject: letter %d\n" \
			    "Message-ID: <%d@client.test>\nDate: Sat, 21 Nov " \
			    "2026 10:00:00 +0000\n\nBody of %d.\n", i, i, i >f
			for (j = 0; j < i % 7; j++) print "more" >f
			close(f)
		}
	}'
}
owned() { # the mailbox's files are its owner's
	chown -R "$MAILUID:$MAILUID" "$MAILROOT/$DOMAIN/$N"
}
# What is in a Maildir: one line each, "letter flags". Flags that only one side
# can know (passed) are left out.
contents() { # directory
	find "$1/new" "$1/cur" -type f | while read -r f; do
		printf '%s %s\n' "$(sed -n 's/^Subject: //p;/^$/q' "$f")" \
		    "$(echo "$f" | sed -n 's/.*:2,\([A-Z]*\).*/\1/p')"
	done | sort -k2n
}
subjects() { # directory
	contents "$1" | cut -d' ' -f1,2
}
# imap PYTHON: c is a strict client with INBOX open.
imap() {
	python3 - "$TOP/t" "$IMAP_PORT" "$U" "$W" <<X
import sys
sys.path.insert(0, sys.argv[1])
from imap import *
c = Client(int(sys.argv[2])).login(*sys.argv[3:5])
c.select('INBOX')
def uid(n):
    found = c('UID SEARCH SUBJECT "letter %d"' % n).one('SEARCH')
    return sequence(found[:1])
$1
c.logout()
X
}
# On a terminal of its own.
typed() { # command
	python3 -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c",
    "stty rows 30 cols 100; " + sys.argv[1]])))' "$1" </dev/null >"$T/typed" 2>&1
}

# --- mbsync

mbsync_all() {
	mbsync -c "$T/mbsyncrc" -q c >"$T/mbsync.out" 2>&1 || {
		note <"$T/mbsync.out"
		return 1
	}
}
if have "mbsync" mbsync; then
	user 1
	far=$(maildir "$N")
	half=$((MESSAGES / 2))
	letters "$far" 1 $half
	owned
	letters "$T/near/INBOX" $((half + 1)) "$MESSAGES"
	cat >"$T/mbsyncrc" <<-X
		IMAPAccount a
		Host localhost
		Port $IMAPS_PORT
		User $U
		Pass $W
		SSLType IMAPS
		CertificateFile $CA

		IMAPStore far
		Account a

		MaildirStore near
		Path $T/near/
		Inbox $T/near/INBOX
		SubFolders Verbatim

		Channel c
		Far :far:
		Near :near:
		Patterns *
		Create Both
		Expunge Both
		Sync All
		SyncState *
	X
	ok "mbsync: $MESSAGES messages, half from each side" mbsync_all
	subjects "$far" >"$T/far"
	subjects "$T/near/INBOX" >"$T/near.list"
	is "there they are" "$(wc -l <"$T/far" | tr -d ' ')" "$MESSAGES"
	ok "and here" cmp "$T/far" "$T/near.list"
	ok "a second time there is nothing to do" mbsync_all

	# Flags on both sides, the same message on both.
	near() { # number flags
		f=$(grep -l "^Subject: letter $1\$" -r "$T/near/INBOX/cur" \
		    "$T/near/INBOX/new")
		base=${f##*/}
		mv "$f" "$T/near/INBOX/cur/${base%%:2,*}:2,$2"
	}
	near 3 S
	near 4 FS
	near 5 F
	imap "c('UID STORE %s +FLAGS (\\\\Flagged)' % uid(7))
c('UID STORE %s +FLAGS (\\\\Answered \\\\Seen)' % uid(8))
c('UID STORE %s +FLAGS (\\\\Answered)' % uid(5))
c('UID STORE %s +FLAGS (\\\\Deleted)' % uid(11))
c('EXPUNGE')"
	near 13 ST
	letters "$T/near/INBOX" 5001 5005
	letters "$far" 6001 6005
	letters "$T/near/Archive" 7001 7003
	owned
	ok "flags, deletions, new ones, a new folder" mbsync_all
	ok "and once more" mbsync_all
	contents "$far" >"$T/far"
	contents "$T/near/INBOX" >"$T/near.list"
	ok "both sides agree" diff "$T/far" "$T/near.list"
	is "flags went there and back" "$(grep -E ' (3|4|5|7|8) ' "$T/far" |
		tr '\n' ',')" "letter 3 S,letter 4 FS,letter 5 FR,letter 7 F,letter 8 RS,"
	is "none of the deleted is there" "$(grep -Ec ' (11|13) ' "$T/far")" 0
	is "the new ones are" "$(grep -Ec ' [56]00[1-5] ' "$T/far")" 10
	is "the new folder, too" "$(subjects "$far/.Archive" | tr '\n' ,)" \
	    "letter 7001,letter 7002,letter 7003,"
fi

# --- mutt, neomutt

n=2
for mutt in mutt neomutt; do
	if have $mutt $mutt; then
		user $n
		letters "$(maildir "$N")" 1 5
		owned
		cat >"$T/muttrc" <<-X
			set ssl_ca_certificates_file="$CA" ssl_starttls=no
			set ssl_force_tls=yes imap_user="$U" imap_pass="$W"
			set folder="imaps://localhost:$IMAPS_PORT/"
			set spoolfile="=INBOX" record="=Sent" quit=yes
			set delete=yes move=no confirmappend=no
			set confirmcreate=no mark_old=no wait_key=no
			set header_cache="" timeout=1 mail_check=1
			set sleep_time=0 beep=no
			push "<limit>~A<enter><jump>2<enter><flag-message><jump>3<enter><copy-message>=Kept<enter><jump>4<enter><delete-message><jump>1<enter><display-message><exit><sync-mailbox><quit>"
		X
		ok "$mutt reads, flags, copies, deletes" typed \
		    "$mutt -n -F $T/muttrc -f =INBOX" ||
			tail -c 1500 "$T/typed" | cat -v | note
		is "$mutt: it is so" \
		    "$(contents "$(maildir "$N")" | tr '\n' ,)" \
		    "letter 1 S,letter 2 F,letter 3 ,letter 5 ,"
		is "$mutt: the copy is" "$(subjects "$(maildir "$N")/.Kept")" \
		    "letter 3"
	fi
	n=$((n + 1))
done

# --- offlineimap

offline() {
	offlineimap -o -c "$T/offlinerc" -u quiet >"$T/offline.out" 2>&1 || {
		tail -20 "$T/offline.out" | note
		return 1
	}
}
if have "offlineimap" offlineimap; then
	user 4
	far=$(maildir "$N")
	letters "$far" 1 50
	owned
	cat >"$T/offlinerc" <<-X
		[general]
		metadata = $T/offline
		accounts = a
		fsync = false
		[Account a]
		localrepository = near
		remoterepository = far
		[Repository near]
		type = Maildir
		localfolders = $T/offline-near
		[Repository far]
		type = IMAP
		remotehost = localhost
		remoteport = $IMAPS_PORT
		remoteuser = $U
		remotepass = $W
		ssl = yes
		sslcacertfile = $CA
		maxconnections = 2
	X
	ok "offlineimap fetches 50" offline
	near=$T/offline-near/INBOX
	is "there they are" "$(subjects "$near" | wc -l | tr -d ' ')" 50
	imap "c('UID STORE %s +FLAGS (\\\\Flagged)' % uid(7))"
	letters "$near" 101 110
	f=$(grep -l '^Subject: letter 9$' -r "$near")
	mv "$f" "$(echo "$f" | sed 's|/new/|/cur/|; s/:2,.*//'):2,S"
	rm "$(grep -l '^Subject: letter 10$' -r "$near")"
	ok "flags, new ones and deletions, both ways" offline
	ok "and once more" offline
	contents "$far" >"$T/far"
	contents "$near" >"$T/near.list"
	ok "both sides agree" diff "$T/far" "$T/near.list"
	is "and as it was done" "$(grep -E ' (7|9|10) ' "$T/far" | tr '\n' ,)" \
	    "letter 7 F,letter 9 S,"
	is "all of it" "$(wc -l <"$T/far" | tr -d ' ')" 59
fi

# --- fetchmail, getmail

if have "fetchmail" fetchmail; then
	user 5
	letters "$(maildir "$N")" 1 20
	owned
	cat >"$T/fetchmailrc" <<-X
		poll localhost protocol IMAP port $IMAPS_PORT
		user "$U" password "$W" ssl sslcertfile "$CA" sslcertck
		mda "cat >>$T/fetched"
		nokeep
	X
	chmod 600 "$T/fetchmailrc"
	ok "fetchmail takes 20" fetchmail -f "$T/fetchmailrc" \
	    --pidfile "$T/fetchmail.pid" --nosyslog -s
	is "and has them" "$(grep -c '^Subject: letter' "$T/fetched")" 20
	is "and leaves none" "$(mail_count "$N")" 0
fi
if have "getmail" getmail; then
	user 6
	letters "$(maildir "$N")" 1 20
	owned
	mkdir -p "$T/getmail/mail/cur" "$T/getmail/mail/new" "$T/getmail/mail/tmp"
	cat >"$T/getmail/getmailrc" <<-X
		[retriever]
		type = SimpleIMAPSSLRetriever
		server = localhost
		port = $IMAPS_PORT
		username = $U
		password = $W
		ca_certs = $CA
		mailboxes = ("INBOX",)
		[destination]
		type = Maildir
		path = $T/getmail/mail/
		[options]
		read_all = false
		delete = false
	X
	chown -R nobody "$T/getmail"
	chmod o+x "$T" "$T/getmail"
	get() {
		setpriv --reuid nobody --regid nogroup --clear-groups getmail -q \
		    --getmaildir "$T/getmail"
	}
	ok "getmail takes 20" get
	is "and has them" "$(subjects "$T/getmail/mail" | wc -l | tr -d ' ')" 20
	ok "a second time there is nothing new" get
	is "nor twice" "$(subjects "$T/getmail/mail" | wc -l | tr -d ' ')" 20
fi

# --- curl

user 7
curl_imap() { # path arguments
	path=$1
	shift
	curl -sS -4 --max-time 300 --cacert "$CA" -u "$U:$W" "$@" \
	    "imaps://localhost:$IMAPS_PORT/$path"
}
message a@client.test b@client.test "by curl" | sed 's/$/\r/' >"$T/m"
ok "curl appends" curl_imap INBOX -T "$T/m"
curl_imap 'INBOX;MAILINDEX=1' >"$T/got"
ok "and fetches the same bytes" cmp "$T/m" "$T/got"
like "lists" "$(curl_imap '')" 'LIST .*INBOX'
like "searches" "$(curl_imap 'INBOX?SUBJECT%20curl')" 'SEARCH 1'
like "looks" "$(curl_imap '' -X 'STATUS INBOX (MESSAGES)')" 'MESSAGES 1'

# --- Python's imaplib

user 8
cat >"$T/lib.py" <<'X'
import imaplib, ssl, sys
port, ca, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
with imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context) as m:
    print(m.login(user, password)[0])
    assert m.create('"A folder"')[0] == 'OK'
    assert any(b'A folder' in x for x in m.list()[1])
    for i in range(5):
        assert m.append('INBOX', '(\\Seen)' if i % 2 else None, None,
                        b'Subject: n%d\r\n\r\nx\r\n' % i)[0] == 'OK'
    assert m.select('INBOX') == ('OK', [b'5'])
    assert m.search(None, 'UNSEEN') == ('OK', [b'1 3 5'])
    assert m.uid('COPY', '1:3', '"A folder"')[0] == 'OK'
    assert m.store('2', '+FLAGS', '\\Deleted')[0] == 'OK'
    assert m.expunge() == ('OK', [b'2'])
    typ, data = m.fetch('1:*', '(UID BODY.PEEK[HEADER])')
    assert typ == 'OK' and len([d for d in data if isinstance(d, tuple)]) == 4
    assert m.status('"A folder"', '(MESSAGES)')[1][0].endswith(
        b'(MESSAGES 3)')
    assert m.close()[0] == 'OK'
    assert m.rename('"A folder"', 'Other')[0] == 'OK'
    assert m.subscribe('Other')[0] == 'OK' and m.lsub()[0] == 'OK'
    assert m.delete('Other')[0] == 'OK'
    assert m.noop()[0] == 'OK' and m.namespace()[0] == 'OK'
with imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context) as m:
    m.authenticate('PLAIN', lambda _: b'\0%s\0%s' % (
        user.encode(), password.encode()))
    try:
        m.select('Nowhere')
    except imaplib.IMAP4.error as e:
        raise SystemExit(e)
X
ok "Python's imaplib" python3 "$T/lib.py" "$IMAPS_PORT" "$CA" "$U" "$W"

# --- node's imapflow

cat >"$T/flow.js" <<'X'
const { ImapFlow } = require('imapflow');
const [port, ca, user, pass] = process.argv.slice(2);
const client = new ImapFlow({ host: 'localhost', port: +port, secure: true,
    tls: { ca: require('fs').readFileSync(ca) }, auth: { user, pass },
    logger: false });
const must = (x, what) => { if (!x) throw new Error(what); };
(async () => {
    await client.connect();
    await client.mailboxCreate('Archive');
    must((await client.list()).some(b => b.path === 'Archive'), 'list');
    for (let i = 1; i <= 5; i++)
        must((await client.append('INBOX', `Subject: f${i}\r\n\r\nx\r\n`,
            i & 1 ? ['\\Seen'] : [])).uid === i, 'append');
    const lock = await client.getMailboxLock('INBOX');
    try {
        must(client.mailbox.exists === 5, 'exists');
        const all = [];
        for await (const m of client.fetch('1:*', { envelope: true,
            flags: true, bodyStructure: true, source: true, size: true }))
            all.push(m);
        must(all.length === 5 && all[4].envelope.subject === 'f5', 'fetch');
        must(all[0].source.length === all[0].size, 'size');
        must((await client.search({ seen: true })).join() === '1,3,5',
            'search');
        must(await client.messageFlagsAdd('2', ['\\Flagged', 'todo']),
            'flags');
        must((await client.fetchOne('2', { flags: true })).flags.has('todo'),
            'keyword');
        must((await client.messageCopy('1:2', 'Archive')).uidMap.size === 2,
            'copy');
        must(await client.messageMove('3', 'Archive'), 'move');
        must(await client.messageDelete('1'), 'delete');
        must(client.mailbox.exists === 3, 'left: ' + client.mailbox.exists);
        const idle = client.idle();
        await client.noop();
        await idle;
    } finally { lock.release(); }
    must((await client.status('Archive', { messages: true })).messages === 3,
        'status');
    await client.mailboxDelete('Archive');
    await client.logout();
})().catch(e => { console.error(e); process.exit(1); });
X
NODE_PATH=${NODE_PATH:-$TOP/t/out/node/node_modules}
export NODE_PATH
user 9
if ! command -v node >/dev/null || ! node -e 'require("imapflow")' 2>/dev/null
then
	skip "node's imapflow" "not installed; npm install --prefix t/out/node imapflow"
else
	ok "node's imapflow" node "$T/flow.js" "$IMAPS_PORT" "$CA" "$U" "$W"
fi
finish
