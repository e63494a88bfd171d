#!/bin/sh
# A daemon is killed at its first system call after a message came, then at
# its second, its third, and so on until it gets through. Whatever was
# acknowledged arrives, once.
. "$(dirname "$0")/../lib.sh"
need_root
need strace python3
CRASHES=yes
FAULTS=${FAULTS:-40} # so many system calls of each daemon at most
[ -z "$SAN" ] || FAULTS=${FAULTS_SAN:-10}
strace -qq -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
instance_start --users 1 --set retry-min=1s --set retry-max=1s \
    --set smtp-processes=1

pid_of() { # role
	ps -A -ww -o pid= -o args= | awk -v p="$INST/libexec/$1" \
	    '$2 == p { print $1 }' | head -1
}
is_there() {
	[ -n "$(pid_of "$1")" ]
}
traced() {
	grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"
}
one() { # size: one message, until it is taken
	number=$((number + 1))
	LOAD_SECONDS=60 python3 - "$TOP/t/load.py" "$1" <<X
import runpy, sys
load, size = sys.argv[1:]
sys.argv = [load]
m = runpy.run_path(load, run_name="load")
import time
end = time.monotonic() + 60
while True:
    try:
        c = m["Client"]("127.0.0.1", $SMTP_PORT)
        q = c.message("a@client.test", "user001@$DOMAIN",
            m["body"]($number, "a@client.test", "user001@$DOMAIN",
                int(size)))
        open("$T/acked", "a").write("$number %s\n" % q.split()[-1])
        c.close()
        break
    except (OSError, m["Refused"]) as e:
        if time.monotonic() > end:
            raise
        time.sleep(0.05)
X
}
sweep() { # role size
	k=1
	kills=0
	while [ $k -le "$FAULTS" ]; do
		# Waits double with each failure in a row: begin again.
		[ $((k % 6)) != 0 ] || instance_restart >/dev/null
		if [ "$1" = deliver ]; then
			one 500 || return 1 # so that a worker is there
		fi
		wait_for 30 is_there "$1" || return 1
		id=$(pid_of "$1")
		strace -qq -o /dev/null -e inject=all:signal=KILL:when=$k \
		    -p "$id" 2>/dev/null &
		tracer=$!
		wait_for 5 traced "$id"
		one "$2" || {
			kill $tracer 2>/dev/null
			return 1
		}
		wait_for 20 queue_is 0 || return 1
		if kill -0 "$id" 2>/dev/null; then
			kill $tracer 2>/dev/null
			wait $tracer 2>/dev/null
			break
		fi
		wait $tracer 2>/dev/null
		kills=$((kills + 1))
		k=$((k + 1))
	done
	note "$1, $2 bytes: killed at each of the first $kills system calls"
}

number=0
: >"$T/acked"
for size in 500 100000; do
	for role in queue deliver smtpd; do
		ok "$role, a message of $size bytes: all are taken" \
		    sweep $role $size || tail -5 "$LOG" | note
		note <"$T/out"
	done
done
ok "the queue empties" wait_for 30 queue_is 0
python3 "$TOP/t/load.py" verify "$MAILROOT" "$T/acked" >"$T/verify"
is "every acknowledged message arrived, none twice" $? 0
note <"$T/verify"
note "$(find "$MAILROOT" -path '*/tmp/*' -type f | wc -l) files left in tmp/"
finish
