#!/bin/sh
# A real Postfix, as a private instance, is the host that sends us mail: it
# gets rid of all of it, and what it gets back for unknown recipients is ours
# to say.
. "$(dirname "$0")/../lib.sh"
need_root
need python3
. "$TOP/t/postfix.sh"
postfix_here || skip_all "no Postfix here"
instance_start --users 3
postfix_end() {
	postfix_stop >/dev/null 2>&1
	cleanup
}
trap postfix_end EXIT
in_port=$(free_port)
echo 'smtp_tls_loglevel = 1' | postfix_start "$in_port" || {
	note <"$T/postfix.out"
	skip_all "Postfix does not start here"
}

python3 "$TOP/t/load.py" send 127.0.0.1 "$in_port" \
    sender@postfix.test "$DOMAIN" 3 60 4 5000 "$T/acked" --reuse >"$T/load.out"
is "Postfix takes 60 messages for us" $? 0
ok "20 arrive at user001" mail_wait user001 20 60
ok "20 arrive at user002" mail_wait user002 20 60
ok "20 arrive at user003" mail_wait user003 20 60
like "Received says that TLS was used" "$(mail_last user001)" \
    'with ESMTPS|TLSv1'
like "Postfix's trace is kept" "$(mail_last user001)" 'by postfix.test'
tls_log() {
	grep -q 'TLS connection established to 127.0.0.1' "$P/mail.log"
}
ok "Postfix saw our TLS" wait_for 20 tls_log
ok "and its queue empties" wait_for 30 sh -c \
    "postqueue -c '$P/conf' -p | grep -q 'queue is empty'"

# One known, one unknown: the bounce comes back for the unknown one only.
message user001@example.test x y >"$T/m"
curl -sS --mail-from "$USER1" --mail-rcpt "$USER2" \
    --mail-rcpt "nobody@$DOMAIN" --crlf --upload-file "$T/m" \
    "smtp://127.0.0.1:$in_port/client.test"
ok "one known, one unknown: the known gets it" mail_wait user002 21 60
ok "a bounce comes to the sender" mail_wait user001 21 60
like "it quotes our answer" "$(mail_last user001)" '550.5\.1\.1'
finish
