#!/bin/sh
# A daemon that hangs is found, killed, and comes again; one that an
# administrator has stopped is left alone. Something that says READY, and then
# nothing more, takes the place of relay.
. "$(dirname "$0")/../lib.sh"
need python3
CRASHES=yes
instance_start --users 2 --set process-timeout=10s
ok "stop" "$TOP/t/instance" stop "$INST"

puppet relay 'while True: signal.pause()'
ok "start with a relay that hangs" "$TOP/t/instance" start "$INST"
pid_of() { # role
	postern status --processes |
	    sed -n "s/^pid=\([0-9]*\) role=$1 .*state=ready.*/\1/p" | head -1
}
dns=$(pid_of dns)
kill -STOP "$dns"
ok "dns is stopped, which the log tells" \
    wait_for 60 log_has "ev=silent.*role=dns pid=$dns.*stopped"
ok "the relay is killed" \
    wait_for 120 log_has 'ev=kill .*role=relay.*does not answer'
again() {
	log_has 'ev=restart.*role=relay'
}
ok "and comes again" wait_for 60 again
twice() {
	[ "$(grep -c 'ev=kill .*role=relay.*does not answer' "$LOG")" -ge 2 ]
}
ok "as often as it hangs" wait_for 120 twice
ok "dns was left alone" kill -0 "$dns"
kill -CONT "$dns"
ok "stop" "$TOP/t/instance" stop "$INST"
rm "$INST/libexec/relay"
ln -s "$TOP/relay/relay$SAN" "$INST/libexec/relay"
finish
