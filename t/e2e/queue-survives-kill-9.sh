#!/bin/sh
# Every daemon is killed at random moments while messages come in. What was
# acknowledged arrives, and no queue id arrives twice.
. "$(dirname "$0")/../lib.sh"
need python3
MESSAGES=${KILLS:-2000}
LOAD_SECONDS=600 # who falls often comes slowly
export LOAD_SECONDS
CRASHES=yes
instance_start --users 5 --set retry-min=1s --set retry-max=2s

# One process of a role, drawn by lot.
victim() { # role
	ps -A -ww -o pid= -o args= | awk -v p="$INST/libexec/$1" \
	    '$2 == p { print $1 }' | sort -R | head -1
}
round() { # messages
	# Slowly enough for some dozens of kills.
	LOAD_PAUSE=0.01 python3 "$TOP/t/load.py" send 127.0.0.1 "$SMTP_PORT" \
	    a@client.test "$DOMAIN" 5 "$1" 4 "${2:-2000}" "$T/acked" \
	    >"$T/load.out" 2>&1 &
	load=$!
	HELPERS=$load
	kills=0
	while kill -0 $load 2>/dev/null; do
		sleep "0.$(od -An -N1 -tu1 /dev/urandom |
		    awk '{ printf "%03d", 20 + $1 }')"
		# Who falls often waits long: then let the rest come in.
		[ $kills -lt 40 ] || continue
		role=${roles%% *}
		roles="${roles#* } $role"
		id=$(victim "$role")
		[ -n "$id" ] && kill -9 "$id" && kills=$((kills + 1))
	done
	wait $load
	rc=$?
	HELPERS=''
	note <"$T/load.out"
	note "$kills processes killed"
	return $rc
}
settled() {
	queue_is 0
}
check_round() { # name
	ok "$1: the queue empties" wait_for 120 settled ||
		postern queue list | head -5 | note
	python3 "$TOP/t/load.py" verify "$MAILROOT" "$T/acked" >"$T/verify"
	rc=$?
	note <"$T/verify"
	is "$1: every acknowledged message arrived, none twice" $rc 0
}

roles="queue smtpd deliver queue smtpd deliver login auth"
if round "$MESSAGES" 2000; then
	pass "all messages get acknowledged in the end"
else
	flunk "all messages get acknowledged in the end"
	tail -20 "$LOG" | note
fi
check_round "daemons killed"

# master, too: all its children end with it, and a new start goes on.
: >"$T/acked"
find "$MAILROOT" -path '*/new/*' -type f -delete
python3 "$TOP/t/load.py" send 127.0.0.1 "$SMTP_PORT" a@client.test \
    "$DOMAIN" 5 200 4 100000 "$T/acked" >"$T/load.out" 2>&1 &
HELPERS=$!
acked_some() {
	[ "$(wc -l <"$T/acked")" -gt 20 ]
}
wait_for 30 acked_some
kill -9 "$(cat "$PIDFILE")"
orphans() {
	[ -n "$(ps -A -ww -o args= | awk -v d="$INST/libexec/" \
	    'index($1, d) == 1')" ]
}
nobody() {
	! orphans
}
ok "children end when master is killed" wait_for 30 nobody
# The client goes on trying: the ports must be the same.
ok "a new start after that" "$TOP/t/instance" start "$INST"
wait "$HELPERS"
is "the client gets all messages accepted" $? 0
HELPERS=''
note <"$T/load.out"
check_round "master killed"
finish
