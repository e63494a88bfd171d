#!/bin/sh
# What cannot be delivered goes back to its sender, once, in the form that
# programs understand (RFC 3464); never to <>; those go to postmaster.
. "$(dirname "$0")/../lib.sh"
need curl python3
instance_start --users 3 --set postmaster=user003 \
    --set retry-min=1s --set retry-max=2s --set queue-lifetime=3s \
    --set bounce-lifetime=3s --set delay-warning=0
echo "postmaster: user003" >"$INST/maps/aliases"
[ "$PRIVILEGED" = yes ] || [ "$(id -u)" != 0 ] ||
    chown "$MAILUID" "$INST/maps/aliases"
postern map >/dev/null 2>&1

loop() { # sender: a message that has been in user002's mailbox before
	printf 'Delivered-To: %s\n' "$USER2"
	message "$1" "$USER2" "round and round"
}
loop "$USER1" >"$T/m"
ok "a message in a loop is accepted" smtp "$USER1" "$USER2" "$T/m"
ok "and goes back to its sender" mail_wait user001 1
mail_last user001 >"$T/bounce"
is "the bounce's sender is empty" "$(head -1 "$T/bounce")" "Return-Path: <>"
cat >"$T/dsn.py" <<'X'
import email, email.policy, sys
m = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
assert m.get_content_type() == "multipart/report", m.get_content_type()
assert m.get_param("report-type") == "delivery-status"
assert m["auto-submitted"], "RFC 3834"
assert m["message-id"] and m["date"] and m["from"] and m["to"]
parts = list(m.iter_parts())
assert len(parts) == 3, len(parts)
assert parts[0].get_content_type() == "text/plain"
status = parts[1]
assert status.get_content_type() == "message/delivery-status"
groups = status.get_payload()
assert groups[0]["Reporting-MTA"].startswith("dns;"), groups[0]
assert groups[1]["Final-Recipient"] == "rfc822; " + sys.argv[2] or \
    groups[1]["Final-Recipient"] == "rfc822;" + sys.argv[2], groups[1]
assert groups[1]["Action"] == "failed"
assert groups[1]["Status"] == sys.argv[3], groups[1]["Status"]
assert parts[2].get_content_type() in ("message/rfc822",
                                       "text/rfc822-headers")
assert sys.argv[4] in parts[2].as_string()
X
ok "it is a delivery status report" python3 "$T/dsn.py" "$T/bounce" "$USER2" \
    5.4.6 "Subject: round and round"
is "user002 got nothing" "$(mail_count user002)" 0

loop '' >"$T/m"
ok "the same from <>" smtp '' "$USER2" "$T/m"
ok "goes to postmaster" mail_wait user003 1
ok "the queue empties" wait_for 10 queue_is 0

# What fails for a while too long expires.
if [ "$(id -u)" = 0 ]; then
	chown -R 0:0 "$MAILROOT/$DOMAIN/user002"
	message "$USER1" "$USER2" "too late" >"$T/m"
	ok "a message to a broken mailbox" smtp "$USER1" "$USER2" "$T/m"
	ok "expires and goes back" mail_wait user001 2 40
	mail_last user001 >"$T/bounce"
	like "it says what was sent" "$(cat "$T/bounce")" "Subject: too late"
	ok "the queue empties" wait_for 10 queue_is 0
fi
finish
