#!/bin/sh
# One Postern relays to another: with as much TLS as the tls-policy map says;
# then queue and relay are killed at random moments, and nothing is lost.
# KILLS: so many messages then (500).
. "$(dirname "$0")/../lib.sh"
need python3 curl
MESSAGES=${KILLS:-500}
LOAD_SECONDS=600 # who falls often comes slowly
export LOAD_SECONDS
CRASHES=yes
FAR=$T/far
far() { # verb options
	v=$1
	shift
	"$TOP/t/instance" "$v" "$FAR" "$@"
}
both_end() {
	[ ! -d "$FAR" ] || far stop >/dev/null 2>&1
	cleanup
}
trap both_end EXIT
far start --users 5 --domain far.test --set hostname=far.test >"$T/start.out" 2>&1 ||
    bail "$(tail -1 "$T/start.out")"
# shellcheck disable=SC1091
far_port=$(. "$FAR/env"; echo "$SMTP_PORT")
instance_start --relay "127.0.0.1:$far_port" --set relay-loopback=yes \
    --set retry-min=1s --set retry-max=2s --set "tls-ca-file=$FAR/ca.pem"

far_box() { # user001: its Maildir there
	echo "$FAR/mail/far.test/$1/Maildir"
}
far_count() {
	find "$FAR/mail" -path '*/new/*' -type f | wc -l | tr -d ' '
}
far_has() { # count
	[ "$(far_count)" -ge "$1" ]
}
far_last() {
	cat "$(find "$FAR/mail" -path '*/new/*' -type f | sort | tail -1)"
}
far_empty() {
	find "$FAR/mail" -path '*/new/*' -type f -delete
}
policy() { # the map's line
	echo "$1" >"$INST/maps/tls-policy"
	postern map tls-policy
}

# --- a letter, and what is said of it

message a@client.test user001@far.test "over there" >"$T/m"
ok "a letter for the other" smtp a@client.test user001@far.test "$T/m"
ok "arrives there" wait_for 20 far_has 1
far_trace() { # what it wrote of how it came
	far_last | sed -n '/^Received:/,/;/{p;/;/q;}' | tr -s '\n\t ' ' '
}
like "by TLS, since it can be had" "$(far_trace)" 'by far.test .*with ESMTPS'
like "the text is as it was" "$(far_last)" '^This is a test\.$'
ok "the queue empties" wait_for 10 queue_is 0
# Ours is the second Received field.
id=$(far_last | sed -n 's/^[[:space:]]*by .* id \([^ ]*\).*/\1/p' | tail -1)
like "the id in our Received finds it in our log" "$(postern trace "$id")" \
    ' delivered qid=.* to=user001@far.test '
is "without complaint" "$(postern trace "$id" 2>&1 >/dev/null)" ""
message user001@example.test nobody@far.test "to nobody" >"$T/m"
ok "one for nobody" smtp "$USER1" nobody@far.test "$T/m"
ok "comes back" mail_wait user001 1
like "with what the other said" "$(mail_last user001)" '550.5\.1\.1'
message user001@example.test all "to two" >"$T/m"
curl -sS --mail-from "$USER1" --mail-rcpt user001@far.test \
    --mail-rcpt nobody@far.test --mail-rcpt user002@far.test --crlf \
    --upload-file "$T/m" "smtp://127.0.0.1:$SMTP_PORT/client.test"
ok "of three recipients two get it" wait_for 20 far_has 3
ok "and the sender hears of the third" mail_wait user001 2

# --- TLS

send_one() {
	far_empty
	smtp a@client.test user001@far.test "$T/m"
}
arrives() { # name policy regular-expression
	ok "$1: the map" policy "$2"
	# The map takes effect when it is there: until then another may count.
	tls_is() {
		send_one && wait_for 20 far_has 1 && far_trace | grep -Eq "$3"
	}
	ok "$1" wait_for 5 tls_is "$@"
	ok "$1: the queue empties" wait_for 20 queue_is 0
}
arrives "none: no TLS" "* none" 'with ESMTP '
arrives "a line for the address" "127.0.0.1 encrypt" 'with ESMTPS '
arrives "in brackets, too" "[127.0.0.1] none" 'with ESMTP '
arrives "may: TLS" "* may" 'with ESMTPS '
arrives "encrypt: TLS" "* encrypt" 'with ESMTPS '
arrives "verify: TLS" "* verify match=localhost" 'with ESMTPS '
ok "verify, another name: the map" policy "* verify match=other.test"
reason() {
	far_empty
	smtp a@client.test user001@far.test "$T/m"
	wait_for 2 eval "postern queue list | grep -Eqi 'tls|certificate'"
}
ok "verify, another name: it waits, with a reason" wait_for 10 reason
postern queue list | head -3 | note
far_empty
tried=$(grep -c ev=deferred "$LOG")
tried_again() {
	[ "$(grep -c ev=deferred "$LOG")" -gt $((tried + 2)) ]
}
ok "it is tried again and again" wait_for 20 tried_again
is "and none goes" "$(far_count)" 0
arrives "and goes when it may" "* may" 'with ESMTPS '

# --- kills

far_empty
python3 "$TOP/t/load.py" send 127.0.0.1 "$SMTP_PORT" a@client.test far.test 5 \
    "$MESSAGES" 4 2000 "$T/acked" --reuse >"$T/load.out" 2>&1 &
load=$!
HELPERS=$load
kills=0
# While it comes in and while it goes out, until there is nothing left to do
# or there were enough.
while [ $kills -lt 12 ]; do
	for role in relay queue relay; do
		id=$(ps -A -ww -o pid= -o args= |
		    awk -v p="$INST/libexec/$role" '$2 == p { print $1 }' |
		    sort -R | head -1)
		[ -n "$id" ] && kill -9 "$id" && kills=$((kills + 1))
		sleep "0.$(od -An -N1 -tu1 /dev/urandom |
		    awk '{ printf "%03d", 20 + $1 * 2 }')"
	done
	far_has "$MESSAGES" && break
done
wait $load
is "all are acknowledged in the end" $? 0
HELPERS=''
note <"$T/load.out"
ok "the queue empties" wait_for 120 queue_is 0 ||
    postern queue list | head -5 | note
far_done() {
	[ "$("$POSTERN" -c "$FAR/postern.conf" queue count)" = 0 ]
}
ok "so does the other's" wait_for 60 far_done
cat >"$T/count.py" <<'X'
# Of each number there are as many copies as acknowledgements, or more: one
# more each time a process was killed between the other's 250 and the line in
# the spool that tells of it.
import os, re, sys
root, acked, kills = sys.argv[1:]
found, acks = {}, {}
for place, _, files in os.walk(root):
    if os.path.basename(place) in ("new", "cur"):
        for name in files:
            head = open(os.path.join(place, name), "rb").read(8192)
            n = re.search(rb"^X-Number: (\d+)", head, re.M)
            if n:
                found[int(n[1])] = found.get(int(n[1]), 0) + 1
for line in open(acked):
    n = int(line.split()[0])
    acks[n] = acks.get(n, 0) + 1
lost = [n for n in acks if found.get(n, 0) < acks[n]]
more = {n: found[n] - acks.get(n, 0) for n in found}
print("acknowledged %d, there %d, lost %d, sent twice %d" % (
    sum(acks.values()), sum(found.values()), len(lost), sum(more.values())))
print("lost:", lost[:10])
sys.exit(1 if lost or max(more.values()) > int(kills) else 0)
X
python3 "$T/count.py" "$FAR/mail" "$T/acked" "$kills" >"$T/count"
rc=$?
note <"$T/count"
note "$kills processes killed"
is "none is lost, none comes oftener than something was killed" $rc 0
ok "the other stops" far stop
finish
