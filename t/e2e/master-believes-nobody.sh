#!/bin/sh
# A daemon that was broken into asks master for what it must not get: a
# process of root, of another daemon, outside a home, under a wrong name, and
# says things that are no messages. Master refuses, ends that daemon, starts
# it again, and serves on. Impostors take the place of auth and queue.
. "$(dirname "$0")/../lib.sh"
need python3 curl
need_root # as anybody else all processes have one uid anyway
CRASHES=yes
instance_start --users 2
ok "stop" "$TOP/t/instance" stop "$INST"

impostor() { # role: the program that takes its place
	rm -f "$INST/libexec/$1"
	cat >"$INST/libexec/$1" <<X
#!$(command -v python3)
import sys
sys.argv = ["$1", "$T/$1.heard", "$MAILUID", "$MAILROOT", "$DOMAIN"]
sys.dont_write_bytecode = True
sys.path.insert(0, "$TOP/t")
exec(open("$TOP/t/impostor.py").read())
X
	chmod 755 "$INST/libexec/$1"
}
heard() { # role
	grep -q '^end' "$T/$1.heard"
}
for role in auth queue; do
	impostor $role
	ok "start with an impostor as $role" "$TOP/t/instance" start "$INST"
	ok "it asks for this and that" wait_for 30 heard $role
	while read -r verdict words; do
		case $verdict in
		ok) pass "$role: $words" ;;
		no) flunk "$role: $words" ;;
		*) note "$verdict $words" ;;
		esac
	done <"$T/$role.heard"
	ok "master is still there" postern status --processes
	ok "stop" "$TOP/t/instance" stop "$INST"
	rm "$INST/libexec/$role"
	ln -s "$TOP/$role/$role$SAN" "$INST/libexec/$role"
done

ok "start with all of the house's own" "$TOP/t/instance" start "$INST"
message a@client.test "$USER1" after >"$T/m"
ok "a letter goes in" smtp a@client.test "$USER1" "$T/m"
ok "and arrives" mail_wait user001 1
finish
