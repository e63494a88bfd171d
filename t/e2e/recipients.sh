#!/bin/sh
# Who gets mail: users, aliases, catch-alls, subaddresses, postmaster; who
# does not, and with which answer.
. "$(dirname "$0")/../lib.sh"
need curl python3
instance_start --users 4 --domain example.test
cat >"$INST/maps/aliases" <<X
# a comment
postmaster: user001
team: user002, user003,
	user004@example.test
chain: Team
sales@example.test: user001
loop-a: loop-b
loop-b: loop-a
X
# wide-a, b, c: 700 people elsewhere each
for w in a b c; do
	awk -v w=$w 'BEGIN { printf "wide-%s: ", w; for (i = 1; i <= 700; i++)
	    printf "%s%s%d@far.test", (i > 1 ? "," : ""), w, i; print "" }'
done >>"$INST/maps/aliases"
[ "$(id -u)" = 0 ] && [ "$PRIVILEGED" = no ] && chown "$MAILUID" "$INST/maps/aliases"
ok "postern map compiles" postern map

# code ADDRESS: the answer to RCPT
code() {
	python3 - "$SMTP_PORT" "$1" <<'X'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.test")
s.ehlo()
s.mail("a@client.test")
c, t = s.rcpt(sys.argv[2])
print(c, t.decode())
s.quit()
X
}
alias_known() {
	code team@example.test | grep -q ^250
}
ok "the new map is in use without a restart" wait_for 10 alias_known

like "a user" "$(code user001@example.test)" "^250 2"
like "case does not matter" "$(code User001@EXAMPLE.test)" "^250 2"
like "subaddress" "$(code user001+list@example.test)" "^250 2"
like "alias" "$(code chain@example.test)" "^250 2"
like "postmaster" "$(code postmaster@example.test)" "^250 2"
like "unknown user" "$(code nobody@example.test)" "^550 5\.1\.1"
like "unknown subaddress" "$(code nobody+x@example.test)" "^550 5\.1\.1"
like "a loop is no recipient" "$(code loop-a@example.test)" "^(451|550) "
like "another domain, from who may relay" "$(code a@elsewhere.test)" "^250 2"

message a@client.test chain@example.test to-chain >"$T/m"
ok "mail to an alias of an alias" smtp a@client.test chain@example.test "$T/m"
for u in user002 user003 user004; do
	ok "$u gets it" mail_wait $u 1
done
is "user001 does not" "$(mail_count user001)" 0

message a@client.test team@example.test two-ways >"$T/m"
ok "one message by two ways to one mailbox" curl -sS --mail-from a@client.test \
    --mail-rcpt team@example.test --mail-rcpt user002@example.test \
    --mail-rcpt User002+x@example.test --crlf --upload-file "$T/m" \
    "smtp://127.0.0.1:$SMTP_PORT/client.test"
ok "user003 gets it" mail_wait user003 2
ok "the queue empties" wait_for 20 queue_is 0
c=$(mail_count user002)
ok "user002 gets no copy per way" test "$c" -le 3
note "copies at user002: $((c - 1))"

# All or nothing: whoever does not fit behind the last alias is not forgotten.
message a@client.test wide-a@example.test three-lists >"$T/m"
not_ok "2100 final recipients are too many" curl -sS -v \
    --mail-from a@client.test --mail-rcpt wide-a@example.test \
    --mail-rcpt wide-b@example.test --mail-rcpt wide-c@example.test --crlf \
    --upload-file "$T/m" "smtp://127.0.0.1:$SMTP_PORT/client.test"
like "and the sender hears of it" "$(cat "$T/out")" "^< 452 4\.5\.3"
ok "nothing of it is queued" queue_is 0

for to in postmaster@example.test sales@example.test; do
	message a@client.test $to "for $to" >"$T/m"
	ok "mail to $to" smtp a@client.test $to "$T/m"
done
ok "user001 gets both" mail_wait user001 2

cp "$INST/maps/aliases" "$T/aliases"
echo 'broken: |/bin/sh' >>"$INST/maps/aliases"
not_ok "a program in an alias is refused" postern map
like "with file, line and remedy" "$(cat "$T/out")" "aliases:12: "
cp "$T/aliases" "$INST/maps/aliases"
like "the old map stays in use" "$(code team@example.test)" "^250"

ok "postern user add" sh -c \
    "printf 'new secret\nnew secret\n' | '$POSTERN' -c '$CONF' user add new@example.test"
user_known() {
	code new@example.test | grep -q ^250
}
ok "the new user gets mail at once" wait_for 10 user_known
message a@client.test new@example.test hello-new >"$T/m"
ok "mail to the new user" smtp a@client.test new@example.test "$T/m"
ok "it arrives in a mailbox made for it" mail_wait new 1
ok "the new user reads it" pop new@example.test "new secret" 1
finish
