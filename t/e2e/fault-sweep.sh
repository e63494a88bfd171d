#!/bin/sh
# The system calls that a daemon makes for one message are listed; then it is
# killed before each of them in turn, and then each of them fails in turn.
# Whatever was acknowledged arrives, once.
. "$(dirname "$0")/../lib.sh"
need_root
need strace python3
CRASHES=yes
FAULTS=${FAULTS:-40} # kills of each kind at most
[ -z "$SAN" ] || FAULTS=${FAULTS_SAN:-8}
strace -qq -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
instance_start --users 1 --set retry-min=1s --set retry-max=1s \
    --set smtp-processes=1

cat >"$T/one.py" <<'X'
# One message, until it is taken.
import runpy, sys, time
load, port, domain, number, size, acked = sys.argv[1:]
sys.argv = [load]
m = runpy.run_path(load, run_name="load")
rcpt = "user001@" + domain
end = time.monotonic() + 300
while True:
    try:
        c = m["Client"]("127.0.0.1", int(port))
        q = c.message("a@client.test", rcpt,
                      m["body"](int(number), "a@client.test", rcpt, int(size)))
        with open(acked, "a") as f:
            f.write("%s %s\n" % (number, q.split()[-1]))
        c.close()
        break
    except (OSError, m["Refused"]) as e:
        if time.monotonic() > end:
            raise
        time.sleep(0.05)
X
one() { # size
	number=$((number + 1))
	python3 "$T/one.py" "$TOP/t/load.py" "$SMTP_PORT" "$DOMAIN" $number \
	    "$1" "$T/acked"
}
pid_of() { # role
	ps -A -ww -o pid= -o args= | awk -v p="$INST/libexec/$1" \
	    '$2 == p { print $1 }' | head -1
}
is_there() {
	id=$(pid_of "$1")
	[ -n "$id" ]
}
traced() { # or killed already
	[ ! -e "/proc/$1" ] ||
	    grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"
}
tracer_start() { # role strace's arguments
	role=$1
	shift
	# A worker is there only after a message.
	is_there "$role" || one 500 || return 1
	wait_for 40 is_there "$role" || return 1
	strace -qq "$@" -p "$id" 2>/dev/null &
	tracer=$!
	wait_for 10 traced "$id"
}
tracer_stop() {
	child_kill $tracer
	wait $tracer 2>/dev/null
}
list() { # role size: "CALL N" a line, N: which of its name
	tracer_start "$1" -o "$T/trace" || return 1
	one "$2" && wait_for 20 queue_is 0
	tracer_stop
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" |
	    awk '{ print $1, ++n[$1] }' >"$T/calls"
	[ -s "$T/calls" ]
}
fault() { # role size inject-expression
	tracer_start "$1" -o /dev/null -e "inject=$3" || return 1
	one "$2"
	rc=$?
	wait_for 30 queue_is 0 || rc=1
	tracer_stop
	return $rc
}
error_of() { # call: what it could really say; nothing: not of interest
	case $1 in
	openat|openat2|accept4) echo EMFILE ;;
	write|writev|pwrite64|ftruncate|fallocate|mkdirat) echo ENOSPC ;;
	fsync|fdatasync|renameat2|renameat|linkat|unlinkat|read|pread64| \
	getdents64|newfstatat|fstat|fstatfs|sync_file_range) echo EIO ;;
	sendmsg|sendto) echo ENOBUFS ;;
	recvmsg|recvfrom|epoll_ctl|mmap|brk) echo ENOMEM ;;
	esac
}
errors() { # role size
	list "$1" "$2" || return 1
	faults=0
	while read -r call n; do
		[ $faults -lt "$FAULTS" ] || break
		error=$(error_of "$call")
		[ -n "$error" ] || continue
		what="$call:error=$error:when=$n"
		fault "$1" "$2" "$what" || {
			echo "$what"
			return 1
		}
		faults=$((faults + 1))
	done <"$T/calls"
	echo "each of $faults system calls failed"
}
sweep() { # role size
	list "$1" "$2" || return 1
	faults=0
	while read -r call n; do
		[ $faults -lt "$FAULTS" ] || break
		# Waits double with each failure in a row: begin again.
		if [ $((faults % 2)) = 1 ]; then
			instance_restart >/dev/null || return 1
		fi
		what="$call:signal=KILL:when=$n"
		fault "$1" "$2" "$what" || {
			echo "$what"
			return 1
		}
		faults=$((faults + 1))
	done <"$T/calls"
	echo "killed before each of $faults system calls"
}

number=0
: >"$T/acked"
for size in 500 100000; do
	for role in queue deliver smtpd; do
		ok "$role killed, $size bytes: all are taken" \
		    sweep $role $size || tail -5 "$LOG" | note
		note <"$T/out"
		ok "$role's calls fail, $size bytes: all are taken" \
		    errors $role $size || tail -5 "$LOG" | note
		note <"$T/out"
	done
done
ok "the queue empties" wait_for 30 queue_is 0
python3 "$TOP/t/load.py" verify "$MAILROOT" "$T/acked" >"$T/verify"
is "every acknowledged message arrived, none twice" $? 0
note <"$T/verify"
note "$(find "$MAILROOT" -path '*/tmp/*' -type f | wc -l) files left in tmp/"
is "nothing was set aside as corrupt" "$(ls "$SPOOL/corrupt" 2>/dev/null)" ""
finish
