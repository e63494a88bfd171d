#!/bin/sh
# A daemon that dies is there again at once; one that dies again and again
# comes ever more slowly and disturbs nobody; one that cannot start at all
# makes the start fail, and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"
need python3 curl
CRASHES=yes
instance_start --users 2

pid_of() { # role
	postern status --processes |
	    sed -n "s/^pid=\([0-9]*\) role=$1 .*state=ready.*/\1/p" | head -1
}
for role in queue auth smtpd login; do
	old=$(pid_of $role)
	kill -9 "$old"
	came() {
		new=$(pid_of $role)
		[ -n "$new" ] && [ "$new" != "$old" ]
	}
	ok "$role comes again" wait_for 20 came
done
message a@client.test "$USER1" again >"$T/m"
taken() {
	smtp a@client.test "$USER1" "$T/m"
}
ok "the house works" wait_for 20 taken
ok "the letter arrives" mail_wait user001 1
ok "a login works" wait_for 20 pop "$USER1" "$PASS1" 1

# A queue that hangs keeps nobody who asks.
queue=$(pid_of queue)
kill -STOP "$queue"
like "status says that the queue does not answer" "$(postern status)" \
    "queue does not answer"
kill -CONT "$queue"

# An auth that ends as soon as it is ready.
puppet auth
kill -9 "$(pid_of auth)"
slow() {
	log_has 'ev=restart.*role=auth.*failures=5 next=2'
}
ok "auth ends again and again: master waits longer" wait_for 30 slow
n=$(grep -c 'ev=restart.*role=auth' "$LOG")
ok "and does not spin" [ "$n" -lt 12 ]
ok "mail still comes in" smtp a@client.test "$USER1" "$T/m"
ok "and arrives" mail_wait user001 2
ok "stop" "$TOP/t/instance" stop "$INST"

rm "$INST/libexec/auth"
printf '#!/bin/sh\nexit 1\n' >"$INST/libexec/auth"
chmod 755 "$INST/libexec/auth"
not_ok "start with an auth that does not start" postern start
ok "the log says who" wait_for 10 \
    log_has 'ev=start level=error role=auth'
gone() {
	[ ! -e "$PIDFILE" ] && [ ! -e "$RUN/ctl.sock" ]
}
ok "nothing is left behind" wait_for 10 gone
rm "$INST/libexec/auth"
ln -s "$TOP/auth/auth$SAN" "$INST/libexec/auth"
ok "start with all in place" "$TOP/t/instance" start "$INST"
ok "a login works" pop "$USER1" "$PASS1" 1
finish
