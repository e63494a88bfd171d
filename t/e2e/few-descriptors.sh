#!/bin/sh
# A house with few descriptors, and clients that hold them: half-sent large
# messages in spool files. Small letters go through all the while.
. "$(dirname "$0")/../lib.sh"
need python3 curl
# shellcheck disable=SC3045 # every sh we know has it
ulimit -n 256 # the crowd's, too: it leaves some to Python
[ "$(id -u)" = 0 ] && set -- --unprivileged # root's master would raise it
instance_start --users 1 --set smtp-processes=4 --set login-processes=1 "$@"
cat >"$T/hold.py" <<'Y'
import os, socket, sys, time
port, domain, run = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3]
people, answers = [], {}
for i in range(235):
    s = socket.create_connection(("127.0.0.1", port), timeout=300)
    people.append(s)
    f = s.makefile("rb")
    def say(text):
        s.sendall(text)
        while True:
            line = f.readline()
            if line[3:4] != b"-":
                return line
    say(b"")
    say(b"EHLO c.test\r\n")
    say(b"MAIL FROM:<a@c.test>\r\n")
    say(b"RCPT TO:<user001@" + domain + b">\r\n")
    code = say(b"DATA\r\n")[:3]
    answers[code] = answers.get(code, 0) + 1
    if code == b"354":
        s.sendall((b"x" * 76 + b"\r\n") * 1200)
print("# answers to DATA:", answers)
print("held", flush=True)
sys.stdin.readline()
Y
mkfifo "$T/in"
python3 "$T/hold.py" "$SMTP_PORT" "$DOMAIN" "$RUN" <"$T/in" >"$T/held" 2>&1 &
HELPERS="$HELPERS $!"
exec 9>"$T/in"
ok "many large messages are half sent" wait_for 60 grep -q ^held "$T/held"
note <"$T/held"
spools() {
	find "$SPOOL/queue" -type f | wc -l
}
ok "many of them have a spool file" wait_for 10 sh -c \
    "test \"\$(find '$SPOOL/queue' -type f | wc -l)\" -gt 50"
note "spool files: $(spools)"
for n in 1 2 3; do
	message a@client.test "$USER1" "small-$n" >"$T/m"
	ok "a small letter" smtp a@client.test "$USER1" "$T/m"
	ok "arrives" mail_wait user001 $n
done
echo >&9
exec 9>&-
ok "they go, and so do their files" wait_for 20 sh -c \
    "test \"\$(find '$SPOOL/queue' -type f | wc -l)\" = 0"
finish
