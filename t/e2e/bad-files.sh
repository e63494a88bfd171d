#!/bin/sh
# Bad configuration, unreadable maps, wrong owners, strangers in the spool:
# the right error with file, reason and remedy; nothing lost.
. "$(dirname "$0")/../lib.sh"
need curl
instance_start --users 2 --set retry-min=1s --set retry-max=2s
bad() { # line: what `postern config` says to a configuration with it
	cp "$CONF" "$T/conf"
	printf '%s\n' "$1" >>"$T/conf"
	{ "$POSTERN" -c "$T/conf" config >/dev/null; } 2>&1
	echo "exit $?"
}
like "no =" "$(bad 'hostname')" 'conf:[0-9]+: '
like "unknown key" "$(bad 'recipient-max = 5')" 'recipients-max'
like "exit EX_CONFIG" "$(bad 'recipient-max = 5')" 'exit 78'
like "number out of bounds" "$(bad 'recipients-max = 100000')" 'conf:[0-9]+: '
like "bad address" "$(bad 'listen-smtp = 300.1.1.1:25')" 'conf:[0-9]+: '
like "bad network" "$(bad 'trusted-networks = 10.0.0.0/33')" 'conf:[0-9]+: '
not_ok "no such file" "$POSTERN" -c "$T/none" config
like "it names the file" "$(cat "$T/out")" "$T/none"
not_ok "start with a bad configuration" "$POSTERN" -c "$T/conf" start

# A stranger and a torn file in the spool do not stop a start.
"$TOP/t/instance" stop "$INST"
echo "not a message" >"$SPOOL/queue/stranger"
: >"$SPOOL/queue/0"
ok "start with strangers in the spool" "$TOP/t/instance" start "$INST"
message a@client.test "$USER1" after-strangers >"$T/m"
ok "a letter after it" smtp a@client.test "$USER1" "$T/m"
ok "arrives" mail_wait user001 1
ok "nothing is queued" wait_for 20 queue_is 0

# A mailbox of the wrong owner: temporary, as the administrator can mend it.
if [ "$(id -u)" = 0 ]; then
	chown -R 0:0 "$MAILROOT/$DOMAIN/user002"
	message a@client.test "$USER2" wrong-owner >"$T/m"
	ok "mail to a mailbox of the wrong owner is accepted" \
	    smtp a@client.test "$USER2" "$T/m"
	deferred() {
		log_has 'ev=deferred.*user002'
	}
	ok "and deferred" wait_for 20 deferred
	chown -R "$MAILUID:$MAILUID" "$MAILROOT/$DOMAIN/user002"
	ok "mended: delivered by itself" mail_wait user002 1 30
fi

# A map that decides about ways and passwords is not passed over at a start.
"$TOP/t/instance" stop "$INST"
echo "not a map" >"$INST/maps/tls-policy.cdb"
not_ok "start with a torn tls-policy" "$POSTERN" -c "$CONF" start
like "it names the map" "$(cat "$T/out" "$LOG")" 'tls-policy.cdb: damaged'
rm -f "$INST/maps/tls-policy.cdb"
ok "start without one" "$TOP/t/instance" start "$INST"
printf 'a.test none\nb.test encrypt\n' >"$INST/maps/tls-policy"
ok "compile one" postern map tls-policy
like "check takes it" "$(postern check)" 'ok +map .*/tls-policy.cdb'
sed 's/b.testencrypt/b.testencrYpX/' "$INST/maps/tls-policy.cdb" >"$T/policy"
cat "$T/policy" >"$INST/maps/tls-policy.cdb"
like "check finds a damaged row" "$(postern check)" \
    'BAD +map .*/tls-policy.cdb is not what .*/tls-policy says in line 2'
rm -f "$INST/maps/tls-policy.cdb" "$INST/maps/tls-policy"

# The maps are gone: nobody is told "unknown user".
for f in users.cdb aliases.cdb; do
	cp "$INST/maps/$f" "$T/$f"
	head -c 100 "$T/$f" >"$INST/maps/$f"
done
postern reload >/dev/null 2>&1
message a@client.test "$USER1" broken-map >"$T/m"
smtp a@client.test "$USER1" "$T/m" 2>"$T/err"
rc=$?
if [ $rc = 0 ]; then
	ok "a torn map: the old one stays in use" mail_wait user001 2
else
	like "a torn map: come again" "$(cat "$T/err")" ' 4[0-9][0-9]'
fi
for f in users.cdb aliases.cdb; do
	cp "$T/$f" "$INST/maps/$f"
done
ok "maps are whole again" postern map
again() {
	smtp a@client.test "$USER1" "$T/m"
}
ok "mail goes in" wait_for 20 again
finish
