#!/bin/sh
# The running house is the one in the table: every process has the user, the
# groups, the root, the sandbox, the capabilities and the descriptors that
# `postern topology` promises, and there is no other process.
. "$(dirname "$0")/../lib.sh"
need python3 curl
[ -d /proc/self/fd ] || skip_all "no /proc like Linux's"
instance_start --users 2

cat >"$T/held.py" <<'X'
# A POP3 and an IMAP session that stay.
import imaplib, poplib, sys
p = poplib.POP3("127.0.0.1", int(sys.argv[1]), timeout=300)
p.user(sys.argv[2])
p.pass_(sys.argv[3])
i = imaplib.IMAP4("127.0.0.1", int(sys.argv[4]))
i.login(*sys.argv[2:4])
i.select()
i.search(None, "TEXT", "x")
print("held", flush=True)
sys.stdin.read()
p.quit()
i.logout()
X
mkfifo "$T/to"
python3 "$T/held.py" "$POP3_PORT" "$USER1" "$PASS1" "$IMAP_PORT" \
    <"$T/to" >"$T/from" 2>&1 &
HELPERS=$!
exec 7>"$T/to"
held() {
	grep -q '^held' "$T/from"
}
ok "a POP3 and an IMAP session are open" wait_for 20 held
message a@client.test "$USER2" topology >"$T/m"
ok "a letter goes in" smtp a@client.test "$USER2" "$T/m"
ok "and arrives" mail_wait user002 1

# Processes come and go behind a reload, and while we look.
fits() {
	postern status --processes >"$T/processes" 2>&1 &&
	    ! grep -q 'state=starting' "$T/processes" &&
	    python3 "$TOP/t/topology.py" "$T/table" "$T/processes" "$RUN" \
	    "$INST/libexec" "$INST/spool" "$INST/mail" "$LOG" "$PRIVILEGED" \
	    >"$T/compared" && ! grep -q '^no' "$T/compared"
}
compare() { # title
	postern topology >"$T/table" 2>&1
	is "topology is told ($1)" $? 0
	: >"$T/compared"
	ok "the house is as it says ($1)" wait_for 2 fits
	while read -r verdict words; do
		case $verdict in
		ok) pass "$words" ;;
		no) flunk "$words" ;;
		*) note "$verdict $words" ;;
		esac
	done <"$T/compared"
}
compare "at start"
like "deliver, pop3d and imapd were among them" \
    "$(cut -d' ' -f2 "$T/processes" | sort -u | tr '\n' ' ')" \
    'role=auth role=deliver role=dns role=imapd role=login role=master role=pop3d role=queue role=relay'
ok "reload" postern reload
compare "after a reload"
exec 7>&-
ok "stop is clean" "$TOP/t/instance" stop "$INST"
sane_log
if [ "$(id -u)" = 0 ]; then
	INST=$T/other
	instance_start --unprivileged
	message a@client.test "$USER1" topology >"$T/m"
	ok "unprivileged: a letter goes in" smtp a@client.test "$USER1" "$T/m"
	ok "and arrives" mail_wait user001 1
	compare "unprivileged"
fi
finish
