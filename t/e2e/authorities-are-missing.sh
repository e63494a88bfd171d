#!/bin/sh
# A tls-ca-file that cannot be read: reload refuses it and tells which file,
# so does check, and the house goes on as it was.
. "$(dirname "$0")/../lib.sh"
CRASHES=yes # the processes that were to be the next ones are killed
instance_start --users 1
cp "$CONF" "$T/conf.good"
printf '%s\n' "tls-ca-file = $T/none.pem" >>"$CONF"
not_ok "reload without the authorities" postern reload
like "it says so" "$(cat "$T/out")" 'tls-ca-file cannot be used'
ok "and the log names the file" log_has "ev=tls.*$T/none.pem"
like "so does check" "$(postern check 2>&1)" "BAD +tls-ca-file: .*$T/none.pem"
message a@client.test "$USER1" as-before >"$T/m"
ok "mail goes in" smtp a@client.test "$USER1" "$T/m"
cp "$T/conf.good" "$CONF"
ok "reload with the configuration as it was" postern reload
finish
