# lib.sh: what end-to-end tests stand on. Sourced first:
#
#	. "$(dirname "$0")/../lib.sh"
#	need swaks			# or the test is skipped
#	instance_start --users 2	# private, in $T/inst; its env is set
#	ok "what should be so" command args
#	is "what should be equal" "$got" "$wanted"
#	finish				# stops, looks for crashes, prints the plan
#
# One directory $T a test; all ends with the test, also when it is killed.
# Conditions are awaited (wait_for), never slept for.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
T=$(mktemp -d "${TMPDIR:-/tmp}/postern-t.XXXXXX") || exit 1
cd "$T" || exit 1
SAN=${POSTERN_SAN:-}
SLOW=6          # a busy machine takes so many times as long; with --san more
[ -z "$SAN" ] || SLOW=20
INST=$T/inst
TESTS=0
CRASHES=no      # yes: the test kills daemons itself
HELPERS=''      # pids of background helpers, ended at exit
LC_ALL=C
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
export LC_ALL

# The id of a helper that has ended may be somebody else's by now.
child_kill() { # pid
	[ "$(ps -o ppid= -p "$1" 2>/dev/null | tr -d ' ')" = $$ ] &&
	    kill "$1" 2>/dev/null
}
cleanup() {
	for id in $HELPERS; do
		child_kill "$id"
	done
	[ ! -d "$INST" ] || "$TOP/t/instance" stop "$INST" >/dev/null 2>&1
	if [ -n "${KEEP:-}" ]; then
		echo "# kept $T"
	else
		cd / && rm -rf "$T"
	fi
}
trap cleanup EXIT
trap 'exit 143' INT TERM HUP

# --- results

note() { # text, or standard input
	if [ $# -gt 0 ]; then
		printf '%s\n' "$*"
	else
		cat
	fi | sed 's/^/# /'
}
pass() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1"
}
flunk() {
	TESTS=$((TESTS + 1))
	echo "not ok $TESTS - $1"
}
ok() { # name command...: its output is shown if it fails
	name=$1
	shift
	"$@" >"$T/out" 2>&1
	rc=$?
	if [ $rc = 0 ]; then
		pass "$name"
	else
		flunk "$name"
		note "$*: exit $rc"
		tail -20 "$T/out" | note
		return 1
	fi
}
not_ok() { # name command...: it must fail
	name=$1
	shift
	if "$@" >"$T/out" 2>&1; then
		flunk "$name"
		note "$*: succeeded"
		tail -20 "$T/out" | note
		return 1
	else
		pass "$name"
	fi
}
is() { # name got wanted
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		flunk "$1"
		note "got:    $2"
		note "wanted: $3"
		return 1
	fi
}
like() { # name text regular-expression
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		flunk "$1"
		note "got: $2"
		note "does not match: $3"
		return 1
	fi
}
skip() { # name reason
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
need() { # programs
	for p; do
		command -v "$p" >/dev/null || skip_all "no $p here"
	done
}
need_root() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}
bail() {
	echo "Bail out! $*"
	[ ! -s "$INST/log" ] || tail -30 "$INST/log" | note
	exit 1
}

# wait_for SECONDS COMMAND...: until it succeeds. So long it may take on a
# machine with nothing else to do; on others it may take longer.
# What is waited for may itself wait for something.
wait_for() {
	wait_n=$(($1 * 20 * SLOW))
	shift
	set -- $wait_n "$@"
	until wait_look "$@" >/dev/null 2>&1; do
		wait_n=$(($1 - 1))
		[ $wait_n -gt 0 ] || return 1
		shift
		set -- $wait_n "$@"
		sleep 0.05
	done
}
wait_look() { # turns-left command...
	shift
	"$@"
}

# --- the instance

instance_start() { # options of t/instance
	"$TOP/t/instance" start "$INST" "$@" >"$T/start.out" 2>&1 || {
		note <"$T/start.out"
		flunk "the instance starts"
		echo "1..$TESTS"
		exit 1
	}
	# shellcheck disable=SC1091
	. "$INST/env"
}
# The same for tests of IMAP, which may be asked of a Dovecot, too:
# IMAP_SERVER=dovecot.
imap_start() { # users
	if [ "${IMAP_SERVER:-}" = dovecot ]; then
		chmod o+x "$T"
		"$TOP/t/dovecot" start "$T/dovecot" --users "$1" ||
			bail "Dovecot does not start"
		trap '"$TOP/t/dovecot" stop "$T/dovecot"; cleanup' EXIT
		# shellcheck disable=SC1091
		. "$T/dovecot/env"
	else
		[ -x "$TOP/imapd/imapd$SAN" ] || skip_all "no imapd yet"
		instance_start --users "$1"
	fi
}
instance_restart() {
	"$TOP/t/instance" restart "$INST"
}
postern() {
	"$POSTERN" -c "$CONF" "$@"
}
# After the last test: stop must leave nothing, and nobody may have crashed.
finish() {
	if [ -d "$INST" ]; then
		ok "stop is clean" "$TOP/t/instance" stop "$INST" ||
		    tail -8 "$INST/log" | note
		sane_log
	fi
	echo "1..$TESTS"
	exit 0
}
sane_log() {
	bad='AddressSanitizer|runtime error:|LeakSanitizer|assertion|forbidden system call'
	# SIGILL, ABRT, BUS, FPE, KILL, SEGV, SYS; 70 is die()
	[ $CRASHES = yes ] ||
	    bad="$bad|ev=exit.* (signal=(4|6|7|8|9|11|31)|status=70)( |\$)"
	if grep -E "$bad" "$INST/log" >"$T/bad"; then
		flunk "no daemon crashed"
		head -40 "$T/bad" | note
	else
		pass "no daemon crashed"
	fi
}
log_has() { # regular expression
	grep -Eq -e "$1" "$LOG"
}

# Something that says READY takes the daemon's place, and then runs TEXT, which
# is Python.
puppet() { # role [text]
	rm "$INST/libexec/$1"
	cat >"$INST/libexec/$1" <<-X
		#!$(command -v python3)
		import signal, socket, sys
		sys.dont_write_bytecode = True
		sys.path.insert(0, "$TOP/t")
		import child
		s = socket.socket(fileno=3)
		while child.receive(s)[0] not in (None, child.GO):
		    pass
		child.send(s, child.READY)
		${2:-}
	X
	chmod 755 "$INST/libexec/$1"
}

free_port() { # one for a server of the test's own, now and later
	(cd "$TOP/t" && python3 -B -c 'import zones; print(zones.free_port())')
}

# --- mail

maildir() { # user001
	echo "$MAILROOT/$DOMAIN/$1/Maildir"
}
mail_count() { # user001: messages in its mailbox
	find "$(maildir "$1")/new" "$(maildir "$1")/cur" -type f 2>/dev/null |
		wc -l | tr -d ' '
}
mail_is() { # user001 count
	[ "$(mail_count "$1")" = "$2" ]
}
mail_wait() { # user001 count [seconds]
	wait_for "${3:-20}" mail_is "$1" "$2"
}
mail_last() { # user001: its newest message
	m=$(maildir "$1")
	f=$(find "$m/new" "$m/cur" -type f | sort | tail -1)
	[ -n "$f" ] && cat "$f"
}
mail_empty() { # user001
	m=$(maildir "$1")
	find "$m/new" "$m/cur" -type f -exec rm -f {} +
}
queue_is() { # count
	[ "$(postern queue count)" = "$1" ]
}
message() { # from to subject [body]
	printf 'From: <%s>\nTo: <%s>\nSubject: %s\n\n%s\n' "$1" "$2" "$3" \
	    "${4:-This is a test.}"
}
# smtp FROM TO FILE: hands a message to port 25 by curl. Curl's exit code.
smtp() {
	curl -sS --max-time 300 --mail-from "${1:-<>}" --mail-rcpt "$2" --crlf \
	    --upload-file "$3" "smtp://127.0.0.1:$SMTP_PORT/client.test"
}
# pop USER PASSWORD PATH [ARGUMENTS]: by curl over POP3S
pop() {
	u=$1:$2
	path=$3
	shift 3
	curl -sS -4 --max-time 300 --cacert "$CA" -u "$u" "$@" \
	    "pop3s://localhost:$POP3S_PORT/$path"
}
