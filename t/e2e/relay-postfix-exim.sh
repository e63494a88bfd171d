#!/bin/sh
# A real Postfix and a real Exim, as private instances, are the other hosts:
# mail goes to each by relay, and comes from each by SMTP; with TLS, many at
# once, refused recipients, odd lines that come through unchanged, and what they
# say they do not take: 8-bit content, by a Postfix that refuses it.
. "$(dirname "$0")/../lib.sh"
need_root
need python3 curl
. "$TOP/t/postfix.sh"
N=${MESSAGES:-40}
peers=''
exim_stop() { :; }
all_end() {
	postfix_stop >/dev/null 2>&1
	exim_stop >/dev/null 2>&1
	cleanup
}
trap all_end EXIT
chmod 755 "$T"
instance_start --users 3 --set relay-loopback=yes --set retry-min=1s \
    --set retry-max=2s
boxes_make() { # directory owner: Maildirs there@X, big@X
	for u in there big; do
		mkdir -p "$1/$u/Maildir/new" "$1/$u/Maildir/cur" \
		    "$1/$u/Maildir/tmp"
	done
	chown -R "$2" "$1"
}
box_count() { # directory user
	find "$1/$2/Maildir/new" -type f | wc -l | tr -d ' '
}
box_has() { # directory user count
	[ "$(box_count "$1" "$2")" -ge "$3" ]
}
box_last() {
	cat "$(find "$1/$2/Maildir/new" -type f | sort | tail -1)"
}

# --- Postfix: postfix.test

postfix_port=$(free_port)
if postfix_here; then
	mkdir -p "$P/box"
	boxes_make "$P/box" 64000:64000
	cp "$INST/cert.pem" "$INST/key.pem" "$P/"
	printf 'there@postfix.test there/Maildir/\nbig@postfix.test big/Maildir/\n' \
	    >"$P/boxes"
	if postfix_start "$postfix_port" <<-X
		virtual_mailbox_domains = postfix.test
		virtual_mailbox_maps = texthash:$P/boxes
		virtual_mailbox_base = $P/box
		virtual_uid_maps = static:64000
		virtual_gid_maps = static:64000
		smtpd_tls_security_level = may
		smtpd_tls_cert_file = $P/cert.pem
		smtpd_tls_key_file = $P/key.pem
		smtpd_tls_received_header = yes
		smtpd_discard_ehlo_keywords = 8bitmime, silent-discard
		strict_8bitmime = yes
	X
	then
		peers="$peers postfix"
	else
		note <"$T/postfix.out"
		skip "Postfix" "it does not start here"
	fi
else
	skip "Postfix" "it is not here"
fi

# --- Exim: exim.test. It keeps root only for a configuration that lies where
# it was built to look for it, and its user must exist: a mount namespace of its
# own has both.

E=$T/exim
exim_port=$(free_port)
exim=$(command -v exim4 || command -v exim ||
    echo "$TOP/t/out/exim/usr/sbin/exim4")
cat >"$T/as-exim" <<'X'
#!/bin/sh
# as-exim DIR EXIM ARGUMENTS...
set -e
dir=$1
shift
if ! id Debian-exim >/dev/null 2>&1; then
	mount --bind "$dir/passwd" /etc/passwd
	mount --bind "$dir/group" /etc/group
fi
# "Configuration file is X" or "non-existent configuration file(s): X:Y"
conf=$("$1" -bV 2>&1 | sed -nE \
    's/^.*configuration file(\(s\):| is) ([^:]+:)*([^:]+)$/\3/Ip')
if [ ! -e "$conf" ]; then # nobody else sees what this hides
	mount -t tmpfs -o mode=755 none "$(dirname "$(dirname "$conf")")"
	mkdir "$(dirname "$conf")"
	touch "$conf"
fi
mount --bind "$dir/conf" "$conf"
exec "$@"
X
if [ -x "$exim" ]; then
	mkdir -p "$E/spool" "$E/box"
	chmod 755 "$E"
	{
		grep -v '^Debian-exim:' /etc/passwd
		echo 'Debian-exim:x:64010:64010::/nonexistent:/bin/false'
	} >"$E/passwd"
	{
		grep -v '^Debian-exim:' /etc/group
		echo 'Debian-exim:x:64010:'
	} >"$E/group"
	uid=$(id -u Debian-exim 2>/dev/null || echo 64010)
	boxes_make "$E/box" 64000:64000
	cp "$INST/cert.pem" "$INST/key.pem" "$E/"
	chown -R "$uid" "$E/spool" "$E/key.pem"
	chown "$uid" "$E"
	cat >"$E/conf" <<-X
		primary_hostname = exim.test
		exim_path = $exim
		spool_directory = $E/spool
		log_file_path = $E/log-%slog
		daemon_smtp_ports = $exim_port
		local_interfaces = 127.0.0.1
		domainlist ours = exim.test
		acl_smtp_rcpt = rcpt
		tls_advertise_hosts = *
		tls_certificate = $E/cert.pem
		tls_privatekey = $E/key.pem
		host_lookup =
		keep_environment =
		rfc1413_query_timeout = 0s
		smtp_accept_max = 100
		smtp_accept_max_per_connection = 1000
		smtp_receive_timeout = 1m
		accept_8bitmime = true
		begin acl
		rcpt:
		  require verify = recipient
		  accept
		begin routers
		here:
		  driver = accept
		  domains = +ours
		  local_parts = there : big
		  transport = maildir
		none:
		  driver = redirect
		  domains = +ours
		  data = :fail: nobody of this name
		  allow_fail
		out:
		  driver = manualroute
		  route_list = * 127.0.0.1 byname
		  self = send
		  transport = smtp
		begin transports
		maildir:
		  driver = appendfile
		  directory = $E/box/\${if eq{\$local_part}{there}{there}{big}}/Maildir
		  maildir_format
		  user = 64000
		  group = 64000
		  delivery_date_add
		smtp:
		  driver = smtp
		  port = $SMTP_PORT
		  allow_localhost
		  hosts_try_fastopen =
		  tls_verify_certificates = $CA
		begin retry
		* * F,1h,2s
		begin rewrite
		begin authenticators
	X
	chmod 644 "$E/conf"
	unshare -m sh "$T/as-exim" "$E" "$exim" -bdf -q1s >"$E/out" 2>&1 &
	exim_id=$!
	HELPERS="$HELPERS $exim_id"
	exim_stop() {
		child_kill "$exim_id"
	}
	exim_up() { # or it has ended
		listens "$exim_port" || ! kill -0 "$exim_id" 2>/dev/null
	}
	if wait_for 20 exim_up && listens "$exim_port" 2>/dev/null; then
		peers="$peers exim"
	else
		note <"$E/out"
		skip "Exim" "it does not start here"
	fi
else
	skip "Exim" "it is not here"
fi

{
	echo "postfix.test relay:[127.0.0.1]:$postfix_port"
	echo "exim.test relay:[127.0.0.1]:$exim_port"
} >"$INST/maps/transport"
ok "the transport map" postern map transport

# What must come through as it is.
{
	message a@client.test there odd
	printf '.\n..\n.x\n\nFrom here\n%s\n\nlast\n' \
	    "$(awk 'BEGIN { for (i = 0; i < 98; i++) printf "0123456789" }')"
} >"$T/odd"
body_of() { # drops the header and what Maildir writers add at the end
	sed '1,/^$/d'
}
# What must not: Postfix is not told of 8 bits, and no line is too long.
python3 - >"$T/large" <<'X'
import sys
cafe = 'a large cup of caf\u00e9\n'.encode() * 20
sys.stdout.buffer.write(
    b'From: a@client.test\nSubject: recoded\nMIME-Version: 1.0\n'
    b'Content-Type: multipart/mixed; boundary="=_b"\n'
    b'Content-Transfer-Encoding: 8bit\n\n'
    b'--=_b\nContent-Type: text/plain; charset=utf-8\n'
    b'Content-Transfer-Encoding: 8bit\n\n' + cafe +
    b'--=_b\nContent-Type: text/html\n\n<p>' + b'word ' * 1000 +
    b'</p>\n--=_b--\n')
X
same_meaning() { # sent got: the parts decode to the same
	python3 - "$@" <<'X'
import email, sys
def read(path):
    m = email.message_from_binary_file(open(path, 'rb'))
    return [(p.get_content_type(), p.get_payload(decode=True))
            for p in m.walk() if not p.is_multipart()]
sys.exit(read(sys.argv[1]) != read(sys.argv[2]))
X
}
is_plain() { # file
	python3 -c 'import sys; m = open(sys.argv[1], "rb").read()
sys.exit(any(b > 127 for b in m) or max(map(len, m.split(b"\n"))) > 998)' "$1"
}
for peer in $peers; do
	box=$T/$peer/box
	to=there@$peer.test
	if [ $peer = postfix ]; then
		port=$postfix_port
	else
		port=$exim_port
	fi

	# There.
	sent() { # until the new map is in use
		smtp a@client.test "$to" "$T/odd" &&
		    wait_for 5 box_has "$box" there 1
	}
	ok "$peer: a letter goes there" wait_for 5 sent
	ok "$peer: the queue empties" wait_for 20 queue_is 0
	like "$peer: by TLS" "$(box_last "$box" there | tr '\n' ' ')" \
	    'TLSv?1|esmtps'
	box_last "$box" there | body_of >"$T/got"
	body_of <"$T/odd" >"$T/wanted"
	ok "$peer: not a byte is changed" cmp "$T/got" "$T/wanted"
	have=$(box_count "$box" there)
	ok "$peer: 8-bit, and a long line" smtp a@client.test "$to" "$T/large"
	have=$((have + 1))
	ok "$peer: are taken" wait_for 20 box_has "$box" there "$have"
	large=$(grep -l '^Subject: recoded' "$box"/there/Maildir/new/*)
	ok "$peer: and mean the same" same_meaning "$T/large" "$large"
	[ $peer != postfix ] ||
		ok "$peer: but are neither any more" is_plain "$large"
	LOAD_SECONDS=300 python3 - "$TOP/t/load.py" "$SMTP_PORT" "$to" "$N" \
	    >"$T/load.out" 2>&1 <<-'X'
		import runpy, sys
		load, port, to, n = sys.argv[1:]
		sys.argv = [load]
		m = runpy.run_path(load, run_name="load")
		c = m["Client"]("127.0.0.1", int(port))
		for i in range(int(n)):
		    c.message("a@client.test", to,
		              m["body"](i, "a@client.test", to, 3000))
		c.close()
	X
	is "$peer: $N more are taken" $? 0
	ok "$peer: all go there" wait_for 60 box_has "$box" there $((have + N))
	ok "$peer: the queue empties" wait_for 20 queue_is 0
	is "$peer: none twice" "$(box_count "$box" there)" $((have + N))

	# Three recipients, of whom it does not know one.
	had=$(mail_count user001)
	message user001@example.test all three >"$T/m"
	curl -sS --mail-from "$USER1" --mail-rcpt "$to" \
	    --mail-rcpt "nobody@$peer.test" --mail-rcpt "big@$peer.test" \
	    --crlf --upload-file "$T/m" "smtp://127.0.0.1:$SMTP_PORT/c.test"
	ok "$peer: of three recipients two get it" wait_for 20 \
	    box_has "$box" big 1
	ok "$peer: the sender hears of the third" mail_wait user001 $((had + 1))
	like "$peer: in its words" "$(mail_last user001)" '55[0-9][ -].*'

	# And back.
	had=$(mail_count user002)
	sed 's/there/user002/' "$T/odd" >"$T/m"
	ok "$peer: takes one for us" curl -sS --max-time 300 \
	    --mail-from a@client.test --mail-rcpt "$USER2" --crlf \
	    --upload-file "$T/m" "smtp://127.0.0.1:$port/client.test"
	ok "$peer: it comes" mail_wait user002 $((had + 1))
	mail_last user002 | body_of >"$T/got"
	ok "$peer: not a byte is changed" cmp "$T/got" "$T/wanted"
	like "$peer: by TLS" "$(mail_last user002)" 'with ESMTPS'
	# Three hops: here, there, and here again.
	had=$(mail_count user003)
	message user003@example.test "nobody@$peer.test" bounce >"$T/m"
	ok "$peer: one for nobody, given to it" curl -sS --max-time 300 \
	    --mail-from "$USER3" --mail-rcpt "nobody-here@$DOMAIN" --crlf \
	    --upload-file "$T/m" "smtp://127.0.0.1:$port/client.test"
	ok "$peer: its report comes" mail_wait user003 $((had + 1))
	like "$peer: it quotes us" "$(mail_last user003)" '550.5\.1\.1'
done
[ -n "$peers" ] || note "no other mail system here"
finish
