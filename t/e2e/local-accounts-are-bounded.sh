#!/bin/sh
# A local account can neither take all of smtpd's seats nor send without end;
# root can, and others do not notice.
. "$(dirname "$0")/../lib.sh"
need python3
as='' uid=$(id -u)
if [ "$uid" = 0 ]; then
	need setpriv
	uid=65534
	as="setpriv --reuid $uid --regid $uid --clear-groups"
fi
instance_start --users 1 --set smtp-client-connections=2 --set user-messages=3
bin=$INST/libexec
sendmail() {
	$as "$bin/sendmail" -C "$CONF" "$@"
}
cat >"$T/hold.py" <<'Y'
import os, socket, sys, time
if os.getuid() == 0:
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
held = []
for _ in range(2):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    if not s.recv(100).startswith(b"220"):
        sys.exit("no greeting")
    held.append(s)
print("held", flush=True)
time.sleep(3600)
Y
python3 "$T/hold.py" "$INST/run/submit.sock" "$uid" >"$T/held" &
holder=$!
HELPERS=$holder
ok "two connections are welcome" wait_for 10 grep -q held "$T/held"
message me "$USER1" waits | sendmail "$USER1" 2>"$T/err" &
third=$!
ok "a third one is not" wait_for 10 log_has \
    "ev=limit .*user=\"*uid=$uid\"* code=421"
kill $holder
wait $holder 2>/dev/null
wait $third
is "sendmail tries again, and is served" $? 0
note <"$T/err"
ok "it arrives" mail_wait user001 1

for i in 2 3; do
	message me "$USER1" more | sendmail "$USER1"
	is "message $i of 3" $? 0
done
message me "$USER1" too-many | sendmail "$USER1" 2>"$T/err"
is "one more: EX_TEMPFAIL" $? 75
like "and a reason" "$(cat "$T/err")" "450 4\.7\.1 .*hour"
ok "the log names who it was" log_has \
    "ev=limit .*what=user-messages user=\"*uid=$uid\"* used=3 max=3"
if [ "$(id -u)" = 0 ]; then
	as=''
	message me "$USER1" root | sendmail "$USER1"
	is "root may go on" $? 0
fi
finish
