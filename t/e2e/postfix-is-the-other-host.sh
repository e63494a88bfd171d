#!/bin/sh
# A real Postfix, as a private instance, is the host that sends us mail: it
# gets rid of all of it, and what it gets back for unknown recipients is ours
# to say.
. "$(dirname "$0")/../lib.sh"
need_root
need postconf python3
id postfix >/dev/null 2>&1 || skip_all "no user postfix here"
instance_start --users 3
P=$T/postfix
mkdir -p "$P/conf" "$P/queue" "$P/data"
chmod 755 "$T" "$P"
chown postfix "$P/data"
in_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
    LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
cat >"$P/conf/main.cf" <<X
compatibility_level = 3.6
queue_directory = $P/queue
data_directory = $P/data
daemon_directory = $(postconf -hd daemon_directory)
mail_owner = postfix
setgid_group = postdrop
maillog_file = $P/mail.log
maillog_file_prefixes = $P
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
relayhost = [127.0.0.1]:$SMTP_PORT
smtp_tls_security_level = may
smtp_tls_CAfile = $CA
smtp_tls_loglevel = 1
disable_dns_lookups = yes
notify_classes =
bounce_queue_lifetime = 0
in_flow_delay = 0s
X
cat >"$P/conf/master.cf" <<X
127.0.0.1:$in_port inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
X
postfix_end() {
	postfix -c "$P/conf" stop >/dev/null 2>&1
	cleanup
}
trap postfix_end EXIT
postfix -c "$P/conf" start >"$T/postfix.out" 2>&1 || {
	note <"$T/postfix.out"
	skip_all "Postfix does not start here"
}
listens() {
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $in_port), 1)"
}
wait_for 20 listens || {
	note <"$T/postfix.out"
	skip_all "Postfix does not listen"
}

python3 "$TOP/t/load.py" send 127.0.0.1 "$in_port" \
    sender@postfix.test "$DOMAIN" 3 60 4 5000 "$T/acked" --reuse >"$T/load.out"
is "Postfix takes 60 messages for us" $? 0
ok "20 arrive at user001" mail_wait user001 20 60
ok "20 arrive at user002" mail_wait user002 20 60
ok "20 arrive at user003" mail_wait user003 20 60
like "Received says that TLS was used" "$(mail_last user001)" \
    'with ESMTPS|TLSv1'
like "Postfix's trace is kept" "$(mail_last user001)" 'by postfix.test'
tls_log() {
	grep -q 'TLS connection established to 127.0.0.1' "$P/mail.log"
}
ok "Postfix saw our TLS" wait_for 20 tls_log
ok "and its queue empties" wait_for 30 sh -c \
    "postqueue -c '$P/conf' -p | grep -q 'queue is empty'"

# One known, one unknown: the bounce comes back for the unknown one only.
message user001@example.test x y >"$T/m"
curl -sS --mail-from "$USER1" --mail-rcpt "$USER2" \
    --mail-rcpt "nobody@$DOMAIN" --crlf --upload-file "$T/m" \
    "smtp://127.0.0.1:$in_port/client.test"
ok "one known, one unknown: the known gets it" mail_wait user002 21 60
ok "a bounce comes to the sender" mail_wait user001 21 60
like "it quotes our answer" "$(mail_last user001)" '550.5\.1\.1'
finish
