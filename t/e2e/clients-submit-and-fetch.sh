#!/bin/sh
# Real clients hand in mail on 25, 465 and 587 and fetch it over POP3 and
# POP3S; it arrives as it was sent.
. "$(dirname "$0")/../lib.sh"
need curl python3
instance_start --users 2
n=0

arrived() { # subject: user002 has it, as the newest of n
	mail_wait user002 $n || {
		tail -5 "$LOG"
		return 1
	}
	mail_last user002 | grep -q "^Subject: $1\$"
}

# --- in

message "$USER1" "$USER2" plain-25 >"$T/m"
ok "curl, port 25" smtp "$USER1" "$USER2" "$T/m"
n=$((n + 1))
ok "it arrives" arrived plain-25
head=$(mail_last user002 | sed '/^$/q')
is "Return-Path is first" "$(echo "$head" | head -1)" "Return-Path: <$USER1>"
like "Delivered-To is there" "$head" "^Delivered-To: $USER2"
like "Received names client and protocol" "$head" \
    "^Received: from client.test"
is "the body is whole" "$(mail_last user002 | sed '1,/^$/d')" "This is a test."

message "$USER1" "$USER2" curl-465 >"$T/m"
ok "curl, TLS and AUTH, port 465" curl -sS -4 --cacert "$CA" \
    -u "$USER1:$PASS1" --mail-from "$USER1" --mail-rcpt "$USER2" --crlf \
    --upload-file "$T/m" "smtps://localhost:$SUBMISSIONS_PORT/me"
n=$((n + 1))
ok "it arrives" arrived curl-465

message "$USER1" "$USER2" curl-587 >"$T/m"
ok "curl, STARTTLS and AUTH, port 587" curl -sS -4 --ssl-reqd --cacert "$CA" \
    -u "$USER1:$PASS1" --mail-from "$USER1" --mail-rcpt "$USER2" --crlf \
    --upload-file "$T/m" "smtp://localhost:$SUBMISSION_PORT/me"
n=$((n + 1))
ok "it arrives" arrived curl-587

not_ok "a wrong password is refused" curl -sS -4 --cacert "$CA" \
    -u "$USER1:wrong" --mail-from "$USER1" --mail-rcpt "$USER2" --crlf \
    --upload-file "$T/m" "smtps://localhost:$SUBMISSIONS_PORT/me"
not_ok "no submission without AUTH" curl -sS -4 --cacert "$CA" \
    --mail-from "$USER1" --mail-rcpt "$USER2" --crlf \
    --upload-file "$T/m" "smtps://localhost:$SUBMISSIONS_PORT/me"
not_ok "no AUTH without TLS" curl -sS -4 -u "$USER1:$PASS1" \
    --mail-from "$USER1" --mail-rcpt "$USER2" --crlf \
    --upload-file "$T/m" "smtp://localhost:$SUBMISSION_PORT/me"

if command -v swaks >/dev/null; then
	ok "swaks, STARTTLS and AUTH LOGIN, port 587" swaks --silent 1 \
	    --timeout 300 \
	    --server 127.0.0.1 --port "$SUBMISSION_PORT" -tls \
	    --auth LOGIN --auth-user "$USER1" --auth-password "$PASS1" \
	    --from "$USER1" --to "$USER2" --header "Subject: swaks-587" \
	    --body "by swaks"
	n=$((n + 1))
	ok "it arrives" arrived swaks-587
	ok "swaks with PIPELINING, port 25" swaks --silent 1 --pipeline \
	    --timeout 300 \
	    --server 127.0.0.1 --port "$SMTP_PORT" --from a@client.test \
	    --to "$USER2" --header "Subject: swaks-25" --body "by swaks"
	n=$((n + 1))
	ok "it arrives" arrived swaks-25
else
	skip "swaks" "no swaks here"
fi

if command -v msmtp >/dev/null; then
	cat >"$T/msmtprc" <<-X
		account a
		host localhost
		port $SUBMISSION_PORT
		tls on
		tls_starttls on
		tls_trust_file $CA
		auth plain
		user user001
		password $PASS1
		from $USER1
		account b : a
		port $SUBMISSIONS_PORT
		tls_starttls off
	X
	chmod 600 "$T/msmtprc"
	message "$USER1" "$USER2" msmtp-587 >"$T/m"
	ok "msmtp, local part as login, port 587" sh -c \
	    "msmtp -C '$T/msmtprc' -a a '$USER2' <'$T/m'"
	n=$((n + 1))
	ok "it arrives" arrived msmtp-587
	message "$USER1" "$USER2" msmtp-465 >"$T/m"
	ok "msmtp, port 465" sh -c \
	    "msmtp -C '$T/msmtprc' -a b '$USER2' <'$T/m'"
	n=$((n + 1))
	ok "it arrives" arrived msmtp-465
else
	skip "msmtp" "no msmtp here"
fi

cat >"$T/by_smtplib.py" <<'X'
import smtplib, ssl, sys
host, port, ca, user, password, rcpt = sys.argv[1:]
ctx = ssl.create_default_context(cafile=ca)
with smtplib.SMTP(host, int(port), local_hostname="client.test") as s:
    s.starttls(context=ctx)
    s.login(user, password)
    body = "Subject: smtplib-587\r\n\r\n" + "".join(
        ".line %d\r\n" % i for i in range(20000))
    s.sendmail(user, [rcpt], body)
X
ok "Python smtplib, a message too long for one packet" python3 \
    "$T/by_smtplib.py" localhost "$SUBMISSION_PORT" "$CA" "$USER1" "$PASS1" \
    "$USER2"
n=$((n + 1))
ok "it arrives" arrived smtplib-587
is "no line of it is lost" \
    "$(mail_last user002 | grep -c '^\.line [0-9]*$')" 20000

# --- out

is "curl, POP3S: all are listed" \
    "$(pop "$USER2" "$PASS2" "" | grep -c '^[0-9]')" $n
like "curl, POP3S: a letter" "$(pop "$USER2" "$PASS2" 1 | tr -d '\r')" \
    "^Subject: plain-25"
like "curl, STLS on the other port" "$(curl -sS -4 --ssl-reqd --cacert "$CA" \
    -u "user002:$PASS2" "pop3://localhost:$POP3_PORT/2" | tr -d '\r')" \
    "^Subject: curl-465"
like "curl, plain text from this host" "$(curl -sS -4 \
    -u "user002:$PASS2" "pop3://localhost:$POP3_PORT/2" | tr -d '\r')" \
    "^Subject: curl-465"
not_ok "a wrong password is refused" pop "$USER2" "wrong" ""
not_ok "an unknown user is refused" pop "nobody@$DOMAIN" "wrong" ""

cat >"$T/by_poplib.py" <<'X'
import poplib, ssl, sys
host, port, tls, ca, user, password, count = sys.argv[1:]
ctx = ssl.create_default_context(cafile=ca)
if tls == "yes":
    p = poplib.POP3_SSL(host, int(port), context=ctx, timeout=300)
else:
    p = poplib.POP3(host, int(port), timeout=300)
    p.stls(ctx)
p.user(user)
p.pass_(password)
n, size = p.stat()
assert n == int(count), (n, count)
uidl = [l.split()[1] for l in p.uidl()[1]]
assert len(set(uidl)) == n
total = 0
for i in range(1, n + 1):
    listed = int(p.list(i).split()[2])
    resp, lines, octets = p.retr(i)
    got = sum(len(l) + 2 for l in lines)
    assert got == listed, (i, got, listed)
    total += got
    top = p.top(i, 0)[1]
    assert lines[:len(top)] == top
assert total == size, (total, size)
p.dele(1)
p.rset()
assert p.stat()[0] == n
p.quit()
if tls == "yes":
    again = poplib.POP3_SSL(host, int(port), context=ctx, timeout=300)
    again.user(user)
    again.pass_(password)
    assert [l.split()[1] for l in again.uidl()[1]] == uidl
    again.quit()
X
ok "Python poplib, POP3S: sizes, UIDL, TOP" python3 "$T/by_poplib.py" localhost \
    "$POP3S_PORT" yes "$CA" "$USER2" "$PASS2" $n
ok "Python poplib, STLS" python3 "$T/by_poplib.py" localhost \
    "$POP3_PORT" no "$CA" "$USER2" "$PASS2" $n

if command -v fetchmail >/dev/null; then
	cat >"$T/fetchmailrc" <<-X
		poll localhost service $POP3S_PORT protocol pop3 uidl
		    user "$USER2" password "$PASS2" ssl
		    sslcertck sslcertfile "$CA"
		    keep fetchall mda "cat >>$T/fetchmail.box"
	X
	chmod 600 "$T/fetchmailrc"
	ok "fetchmail, POP3S" env HOME="$T" FETCHMAILHOME="$T" \
	    fetchmail --nosyslog -f "$T/fetchmailrc"
	is "fetchmail got all" "$(grep -c '^Subject: ' "$T/fetchmail.box")" $n
else
	skip "fetchmail" "no fetchmail here"
fi

if command -v mpop >/dev/null; then
	cat >"$T/mpoprc" <<-X
		account a
		host localhost
		port $POP3S_PORT
		tls on
		tls_starttls off
		tls_trust_file $CA
		auth plain
		user $USER2
		password $PASS2
		delivery mbox $T/mpop.box
		uidls_file $T/mpop.uidls
		keep off
	X
	chmod 600 "$T/mpoprc"
	ok "mpop, POP3S, SASL PLAIN, takes all away" mpop -q -C "$T/mpoprc" a
	is "mpop got all" "$(grep -c '^Subject: ' "$T/mpop.box")" $n
	ok "the mailbox is empty now" wait_for 20 mail_is user002 0
else
	skip "mpop" "no mpop here"
fi
finish
