#!/bin/sh
# sendmail(8), mailq(8), newaliases(8): programs on this host hand in mail
# through a socket that knows who they are; no set-id bit anywhere.
. "$(dirname "$0")/../lib.sh"
instance_start --users 3
bin=$INST/libexec
sendmail() {
	POSTERN_CONF=$CONF "$bin/sendmail" -C "$CONF" "$@"
}
me=$(id -un)

message me "$USER2" by-argument | sendmail "$USER2"
is "recipient in an argument: exit 0" $? 0
ok "it arrives" mail_wait user002 1
like "it says who sent it" "$(mail_last user002)" "Return-Path: <$me@"

printf 'To: %s\nCc: Ann <%s>\nBcc: %s\nSubject: by-header\n\nx\n' \
    "$USER2" "$USER1" "$USER3" | sendmail -t
is "-t: exit 0" $? 0
ok "To gets it" mail_wait user002 2
ok "Cc gets it" mail_wait user001 1
ok "Bcc gets it" mail_wait user003 1
not_ok "Bcc is not in the message" sh -c \
    "cat '$(maildir user002)'/new/* | grep -i '^bcc:'"

printf 'Subject: dots\n\n.\nafter the dot\n' | sendmail -i "$USER1"
is "-i: exit 0" $? 0
ok "it arrives" mail_wait user001 2
ok "a lone dot does not end it" sh -c \
    "cat '$(maildir user001)'/new/* | grep -q '^after the dot'"
printf 'Subject: dot\n\nbefore\n.\nafter the dot\n' | sendmail "$USER3"
is "without -i: exit 0" $? 0
ok "it arrives" mail_wait user003 2
not_ok "a lone dot ends it" sh -c \
    "cat '$(maildir user003)'/new/* | grep -q '^after the dot'"

message me "$USER2" from-f | sendmail -f "$USER1" -- "$USER2"
is "-f: exit 0" $? 0
ok "it arrives" mail_wait user002 3
like "with that sender" "$(mail_last user002)" "Return-Path: <$USER1>"

message me "nobody@$DOMAIN" unknown | sendmail "nobody@$DOMAIN" 2>"$T/err"
is "an unknown recipient: EX_NOUSER" $? 67
like "and a reason" "$(cat "$T/err")" "5\.1\.1"

message "$USER1" "$USER3" some-are-good | sendmail -f "$USER1" \
    "nobody@$DOMAIN" "$USER3" "noone@$DOMAIN" 2>"$T/err"
is "some of them are unknown: exit 0" $? 0
like "with a word about it" "$(cat "$T/err")" "noone@$DOMAIN: 550 5\.1\.1"
ok "the good one gets it" mail_wait user003 3
ok "the sender gets a bounce" mail_wait user001 3
like "about the others" "$(mail_last user001)" \
    "Final-Recipient: rfc822; *nobody@$DOMAIN"
message me "$USER3" no-sender | sendmail -f '<>' "nobody@$DOMAIN" "$USER3" \
    2>/dev/null
is "some are, and there is no sender: EX_NOUSER" $? 67
ok "the good one gets it" mail_wait user003 4

if [ "$(id -u)" = 0 ]; then
	message me "$USER2" nobody-too | setpriv --reuid 65534 --regid 65534 \
	    --clear-groups "$bin/sendmail" -C "$CONF" "$USER2" 2>"$T/err"
	is "any user may" $? 0
	note <"$T/err"
	ok "it arrives" mail_wait user002 4
fi

like "-bs: SMTP on standard input and output" \
    "$(printf 'QUIT\r\n' | sendmail -bs)" "^221 "
is "-bd is not for here: EX_USAGE" "$(sendmail -bd 2>/dev/null; echo $?)" 64
ok "mailq" "$bin/mailq" -C "$CONF"
ok "newaliases" "$bin/newaliases" -C "$CONF"
is "no set-id bit in the tree of programs" \
    "$(find -L "$bin" \( -perm -4000 -o -perm -2000 \) -type f)" ""

"$TOP/t/instance" stop "$INST"
message me "$USER2" house-is-down | sendmail "$USER2" 2>"$T/err"
is "house down: EX_TEMPFAIL" $? 75
like "and it says so" "$(cat "$T/err")" "."
ok "and starts again" "$TOP/t/instance" start "$INST"
finish
