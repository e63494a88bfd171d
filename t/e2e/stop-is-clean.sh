#!/bin/sh
# Stop: sessions get 421 or -ERR, a message on its way in is either taken or
# told to come again, mail that was accepted is there after the next start.
. "$(dirname "$0")/../lib.sh"
need python3
instance_start --users 2
cat >"$T/held.py" <<'X'
import poplib, smtplib, socket, sys
smtp_port, pop_port, user, password = sys.argv[1:]
s = smtplib.SMTP("127.0.0.1", int(smtp_port), timeout=300)
s.ehlo("client.test")
p = poplib.POP3("127.0.0.1", int(pop_port), timeout=300)
q = poplib.POP3("127.0.0.1", int(pop_port), timeout=300)
q.user(user)
q.pass_(password)
print("held", flush=True)
print("smtp", s.file.readline() if s.file else s.sock.recv(512), flush=True)
print("pop3", p.file.readline(), flush=True)
print("session", q.file.readline(), flush=True)
X
python3 "$T/held.py" "$SMTP_PORT" "$POP3_PORT" "$USER1" "$PASS1" \
    >"$T/from" 2>&1 &
HELPERS=$!
held() {
	grep -q '^held' "$T/from"
}
ok "three sessions are open" wait_for 20 held
ok "stop" "$TOP/t/instance" stop "$INST"
ended() {
	! kill -0 "$HELPERS" 2>/dev/null
}
ok "all three end" wait_for 20 ended
HELPERS=''
like "SMTP gets 421" "$(cat "$T/from")" "smtp b'421 4\.3\.2"
like "POP3 before login gets -ERR" "$(cat "$T/from")" "pop3 b'-ERR"
like "a POP3 session gets -ERR or its end" "$(cat "$T/from")" \
    "session b'(-ERR.*)?'"
not_ok "nobody listens any more" python3 -c \
    "import socket; socket.create_connection(('127.0.0.1', $SMTP_PORT), 2)"

ok "start again" "$TOP/t/instance" start "$INST"
python3 "$TOP/t/load.py" send 127.0.0.1 "$SMTP_PORT" a@client.test "$DOMAIN" \
    2 400 4 3000 "$T/acked" >"$T/load.out" 2>&1 &
HELPERS=$!
acked() {
	[ "$(wc -l <"$T/acked")" -ge "$1" ]
}
for n in 40 120 200; do
	wait_for 30 acked $n
	ok "restart while mail comes in" "$TOP/t/instance" restart "$INST"
done
wait "$HELPERS"
is "the client gets rid of all of it" $? 0
HELPERS=''
note <"$T/load.out"
ok "the queue empties" wait_for 30 queue_is 0
python3 "$TOP/t/load.py" verify "$MAILROOT" "$T/acked" >"$T/verify"
is "every message arrived, none twice" $? 0
note <"$T/verify"
finish
