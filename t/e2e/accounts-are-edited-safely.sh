#!/bin/sh
# postern user, map, config, check, log and trace, without a running house.
. "$(dirname "$0")/../lib.sh"
[ -x "$TOP/ctl/postern$SAN" ] || bail "build first"
mkdir "$T/maps" "$T/mail"
CONF=$T/conf
cat >"$CONF" <<-X
	hostname = mail.example.test
	domains = example.test
	map-dir = $T/maps
	mail-root = $T/mail
	spool-dir = $T/spool
	run-dir = $T/run
	mail-user = $(id -u | sed 's/^0$/64000/')
	log = $T/log
X
p() {
	"$TOP/ctl/postern$SAN" -c "$CONF" "$@"
}
user() {
	printf '%s\n' "$1" | {
		shift
		p user "$@"
	}
}
users=$T/maps/users

printf '# our people\nold@example.test !\t# not a comment\n' >"$users"
not_ok "what cannot be compiled is not added to" user secret add ann
is "and stays as it was" "$(wc -l <"$users" | tr -d ' ')" 2
printf '# our people\n\nold@example.test   ! mail="%s/my mail/M"\n' \
    "$T/mail" >"$users"
chmod 640 "$users"
cp "$users" "$T/before"
ok "a user is added" user secret add Ann
is "behind the others, which stay" "$(head -3 "$users")" "$(cat "$T/before")"
like "with a hash" "$(tail -1 "$users")" '^ann@example\.test \$(y|2b|6)\$'
is "the file keeps its mode" "$(stat -c %a "$users" 2>/dev/null ||
    stat -f %Lp "$users")" 640
ok "both maps are there" test -s "$T/maps/users.cdb" -a \
    -s "$T/maps/credentials.cdb"
is "credentials are for their owner only" \
    "$(stat -c %a "$T/maps/credentials.cdb" 2>/dev/null ||
    stat -f %Lp "$T/maps/credentials.cdb")" 600
is "nothing is left over" "$(ls "$T/maps")" "credentials.cdb
users
users.cdb"
not_ok "twice is refused" user secret add ann@example.test
before=$(tail -1 "$users")
ok "a new password" user other passwd ann
not_ok "is a new hash" [ "$before" = "$(tail -1 "$users")" ]
ok "a hash made elsewhere" p user passwd ann --hash \
    '$6$rounds=1000$abcdefgh$0123456789'
is "is taken as it is" "$(tail -1 "$users")" \
    "ann@example.test \$6\$rounds=1000\$abcdefgh\$0123456789"
ok "no login" p user passwd old --no-login
is "keeps what stands behind" "$(sed -n 3p "$users")" \
    "old@example.test ! mail=\"$T/mail/my mail/M\""
not_ok "a password is no argument" p user add bob secret
not_ok "nor is it empty" user '' add bob
not_ok "a foreign domain" user secret add bob@example.net
not_ok "a name that is none" user secret add ../bob
ok "a user is deleted" p user delete ann
is "and is gone" "$(grep -c ann "$users")" 0
not_ok "who is not there is not deleted" p user delete ann
like "list" "$(p user list)" "^old@example\.test +no-login +$T/mail/my mail/M"

# Many at once: one after the other.
for i in 1 2 3 4 5 6 7 8; do
	p user add "many$i" --no-login >"$T/many$i" 2>&1 &
done
wait
is "eight at once all get in" "$(grep -c '^many' "$users")" 8

# The configuration
is "one key" "$(p config hostname)" mail.example.test
like "a slip of the pen" "$(p config hostnam 2>&1)" "did you mean hostname"
p config >"$T/effective"
is "what is in effect is a configuration" \
    "$(p -c "$T/effective" config)" "$(cat "$T/effective")"
is "what differs from the defaults" "$(p config --changed | grep -c '^log = ')" 1
ok "the table of keys" p config --keys
if command -v python3 >/dev/null; then
	ok "as JSON" sh -c "'$TOP/ctl/postern$SAN' config --keys --json |
	    python3 -c 'import json, sys; json.load(sys.stdin)'"
fi

# check says what is wrong, and what to type
out=$(p check 2>&1)
is "check finds what is wrong: 78" "$(p check >/dev/null 2>&1; echo $?)" 78
like "no map of aliases is fine, nobody for postmaster is not" "$out" \
    "BAD +nobody gets mail for postmaster@example.test"
like "the mode of users" "$out" "BAD +.*/maps/users has mode 640.*chmod go="
watches=$(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null)
if [ -n "$watches" ] && [ "$watches" -lt 100000 ]; then
	cp "$CONF" "$T/many.conf"
	echo 'sessions = 100000' >>"$T/many.conf"
	like "sessions that cannot all watch" \
	    "$("$TOP/ctl/postern$SAN" -c "$T/many.conf" check 2>&1)" \
	    "note +fs.inotify.max_user_instances is $watches, sessions is 100000"
fi
sleep_past() { # until the clock of the file system has moved on
	touch "$T/now"
	[ -n "$(find "$T/now" -newer "$T/maps/users.cdb")" ]
}
wait_for 5 sleep_past
touch "$users"
like "a map that is too old" "$(p check 2>&1)" \
    "BAD +map .*/users.cdb is older than .*type: postern map users"
is "help" "$(p user --help >/dev/null; echo $?)" 0
is "an unknown verb: 64" "$(p frobnicate 2>/dev/null; echo $?)" 64
is "not running: 69" "$(p status 2>/dev/null; echo $?)" 69

# log and trace
s=2026-11-21T08:37
cat >"$T/log" <<-X
	$s:00.000Z mx postern/smtpd[4]: ev=connect sid=S1 client=192.0.2.1
	$s:01.000Z mx postern/smtpd[4]: ev=queued sid=S1 qid=Q1 from=bob@example.net to=ann@example.test code=250
	$s:01.500Z mx postern/smtpd[4]: ev=queued sid=S1 qid=Q2 from=bob@example.net to=carl@example.test code=250
	$s:02.000Z mx postern/queue[5]: ev=deferred qid=Q1 to=ann@example.test code=451 why="disk full"
	$s:03.000Z mx postern/queue[5]: ev=delivered qid=Q1 to=ann@example.test code=250 delay=2
	$s:03.500Z mx postern/queue[5]: ev=delivered qid=Q2 to=carl@example.test code=250 delay=2
	$s:04.000Z mx postern/smtpd[4]: ev=disconnect sid=S1
	$s:05.000Z mx postern/smtpd[4]: ev=rcpt sid=S2 to=an@example.test code=550 why="no such user"
	$s:05.100Z mx postern/relay[6]: ev=sent qid=Q3 host="mx.test[192.0.2.2]:25" code=250 tls=TLSv1.3 said="queued as X1"
	$s:05.200Z mx postern/queue[5]: ev=delivered qid=Q3 to=far@test.test host="mx.test[192.0.2.2]:25" code=250 said="queued as X1" delay=1
	$s:05.300Z mx postern/imapd[7]: ev=move sid=S4 user="ann@example.test" folder="INBOX" into="Old" n=2 uids="1:2" qids="Q9 Q1" as="7:8"
	$s:05.400Z mx postern/pop3d[8]: ev=expunge sid=S5 user="carl@example.test" folder="INBOX" n=2 qids="Q2 Q8"
	$s:06.000Z mx sshd[9]: something else
X
is "log: filtered" "$(p log ev=delivered | wc -l | tr -d ' ')" 3
is "log: the last ones" "$(p log -n 1 ev=delivered | grep -c Q3)" 1
p trace ann@example.test >"$T/trace" 2>&1
like "trace: what became of it" "$(tail -1 "$T/trace")" \
    "was delivered at $s:03.000Z \(to ann@example.test\)"
like "trace: how long it took" "$(tail -1 "$T/trace")" "2 s after it came in"
like "trace: its session" "$(cat "$T/trace")" "connect.*sid=S1"
is "trace: not the other message of the session" \
    "$(grep -c 'Q2' "$T/trace")" 0
like "trace: moved by its reader" "$(p trace Q1 2>&1 | tail -1)" \
    "was moved from the folder INBOX to Old at $s:05.300Z by ann@example.test"
like "trace: removed by its reader" "$(p trace Q2 2>&1 | tail -1)" \
    "was removed from the folder INBOX at $s:05.400Z by carl@example.test"
like "trace: long after it came" "$(p trace Q8 2>&1 | tail -1)" \
    "was removed from the folder INBOX"
like "trace: what a user did" "$(p trace carl@example.test 2>&1)" \
    "expunge sid=S5 .*qids=Q2 Q8"
like "trace: by session" "$(p trace S1 2>&1)" "2 messages; 2 deliveries"
like "trace: who took it" "$(p trace far@test.test | tail -1)" \
    "another host at $s:05.200Z .*, host mx.test.192.0.2.2.:25, by TLSv1.3, code 250, saying: queued as X1"
like "trace: refused at the door" "$(p trace an@example.test | tail -1)" \
    "was refused before it came in .*no such user"
p trace anne@example.test >"$T/trace" 2>&1
like "trace: who never came" "$(cat "$T/trace")" \
    "No trace of anne@example.test in 12 events"
mv "$T/log" "$T/log.1"
printf '%s\n' "$s:09.000Z mx postern/queue[5]: ev=start" >"$T/log"
like "trace: a rotated log is read, too" "$(p trace Q1 2>&1)" "delivered"
like "trace: from standard input" \
    "$(p trace --file - Q3 <"$T/log.1" | tail -1)" "was taken"
finish
