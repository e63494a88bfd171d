#!/bin/sh
# A reload drops no session and uses the new settings for new ones; a bad
# configuration changes nothing and says where the mistake is.
. "$(dirname "$0")/../lib.sh"
need python3
# Few processes: after many reloads the oldest must end (master/reload.c).
instance_start --users 2 --set smtp-processes=2 --set login-processes=1 \
    --set relay-processes=1

cat >"$T/held.py" <<'X'
# Holds an SMTP and a POP3 session over whatever the test does meanwhile:
# each line on standard input is one step; answers go to standard output.
import poplib, smtplib, sys
smtp_port, pop_port, user, password, rcpt = sys.argv[1:]
s = smtplib.SMTP("127.0.0.1", int(smtp_port), local_hostname="client.test",
                 timeout=300)
s.ehlo()
s.mail("a@client.test")
p = poplib.POP3("127.0.0.1", int(pop_port), timeout=300)
p.user(user)
p.pass_(password)
print("held", flush=True)
for line in sys.stdin:
    try:
        if line.strip() == "send":
            code, text = s.rcpt(rcpt)
            assert code == 250, (code, text)
            code, text = s.data(b"Subject: held\r\n\r\nover a reload\r\n")
            assert code == 250, (code, text)
            s.mail("a@client.test")
        elif line.strip() == "stat":
            p.stat()
        elif line.strip() == "bye":
            s.quit()
            p.quit()
        print("done", flush=True)
    except Exception as e:
        print("failed", repr(e), flush=True)
X
mkfifo "$T/to"
python3 "$T/held.py" "$SMTP_PORT" "$POP3_PORT" "$USER1" "$PASS1" "$USER2" \
    <"$T/to" >"$T/from" 2>&1 &
HELPERS=$!
exec 7>"$T/to"
said() { # word, lines
	[ "$(wc -l <"$T/from")" -ge "$2" ] &&
	    [ "$(sed -n "$2p" "$T/from")" = "$1" ]
}
ok "two sessions are open" wait_for 20 said held 1

ok "reload with nothing changed" postern reload
echo send >&7
ok "the SMTP session goes on" wait_for 20 said 'done' 2 || note <"$T/from"
ok "its message arrives" mail_wait user002 1
echo stat >&7
ok "the POP3 session goes on" wait_for 20 said 'done' 3 || note <"$T/from"

size() { # what EHLO says now
	python3 - "$SMTP_PORT" <<'X'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.test")
s.ehlo()
print(s.esmtp_features.get("size"))
s.quit()
X
}
three_reloads() { # at once
	postern reload &
	a=$!
	postern reload &
	b=$!
	postern reload && wait $a && wait $b
}
ok "who asks for a reload during another waits for his own" three_reloads

old=$(size)
echo 'message-size = 1M' >>"$CONF"
ok "reload with a new message-size" postern reload
new_size() {
	[ "$(size)" = 1048576 ]
}
ok "new sessions have it" wait_for 10 new_size
echo send >&7
ok "the old session still goes on" wait_for 20 said 'done' 4 || note <"$T/from"
ok "its message arrives" mail_wait user002 2

cp "$CONF" "$T/good"
echo 'mesage-size = 2M' >>"$CONF"
line=$(wc -l <"$CONF" | tr -d ' ')
not_ok "an unknown key is refused" postern reload
like "file, line and a guess at what was meant" "$(cat "$T/out")" \
    "postern.conf:$line: .*message-size"
is "nothing changed" "$(size)" 1048576
kill -HUP "$(cat "$PIDFILE")"
reported() {
	log_has 'mesage-size'
}
ok "SIGHUP reports it in the log" wait_for 10 reported
is "nothing changed" "$(size)" 1048576
sed 's/^message-size = .*/message-size = 3M/' "$T/good" >"$CONF"
kill -HUP "$(cat "$PIDFILE")"
big_size() {
	[ "$(size)" = 3145728 ]
}
ok "SIGHUP with a good one" wait_for 10 big_size
note "SIZE was $old at first"

echo bye >&7
ok "both sessions end in peace" wait_for 20 said 'done' 5 || note <"$T/from"
exec 7>&-
wait "$HELPERS"
HELPERS=''

# Reloads while mail comes in: nothing is refused, nothing lost.
LOAD_TELL=1 python3 "$TOP/t/load.py" send 127.0.0.1 "$SMTP_PORT" a@client.test "$DOMAIN" \
    2 300 3 2000 "$T/acked" --reuse >"$T/load.out" 2>&1 &
HELPERS=$!
i=0
while [ $i -lt 6 ] && kill -0 "$HELPERS" 2>/dev/null; do
	postern reload >/dev/null 2>&1 || note "reload $i failed"
	i=$((i + 1))
done
wait "$HELPERS"
is "mail comes in during $i reloads" $? 0
HELPERS=''
note <"$T/load.out"
like "not one attempt had to be repeated" "$(cat "$T/load.out")" \
    '; 0 attempts repeated'
ok "the queue empties" wait_for 30 queue_is 0
python3 "$TOP/t/load.py" verify "$MAILROOT" "$T/acked" >"$T/verify"
is "every message arrived, none twice" $? 0
note <"$T/verify"
finish
