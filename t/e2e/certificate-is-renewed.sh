#!/bin/sh
# A renewed certificate comes into use by itself, a bad one never; a log file
# that was moved away is followed; a map that was cut short takes nobody down.
. "$(dirname "$0")/../lib.sh"
need openssl curl python3
instance_start --users 2
cert() { # file: a certificate for localhost, signed by itself
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -days 30 -subj "/CN=$1" -keyout "$T/key.new" \
	    -out "$T/cert.new" 2>/dev/null
	# By rename, as tools that renew certificates do.
	[ -z "${2:-}" ] || mv "$T/key.new" "$INST/key.pem"
	mv "$T/cert.new" "$INST/cert.pem"
	[ "$(id -u)" != 0 ] || [ "$PRIVILEGED" = yes ] ||
		chown "$MAILUID" "$INST/key.pem" "$INST/cert.pem"
}
served() { # port
	openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null |
	    sed -n 's/^subject=.*CN *= *//p'
}
serves() { # name
	[ "$(served "$POP3S_PORT")" = "$1" ] &&
	    [ "$(served "$SUBMISSIONS_PORT")" = "$1" ]
}
generation() {
	postern status --json |
	    python3 -c 'import json, sys; print(json.load(sys.stdin)["generation"])'
}
ok "the first certificate is served" serves localhost

cert second key
ok "reload with a new one" postern reload
ok "the new one is served" serves second
cert torn
not_ok "reload with a certificate that fits no key" postern reload
like "the reason" "$(cat "$T/out")" 'certificate'
ok "the old one is served on" serves second
ok "the log is loud" log_has 'ev=reload level=error.*certificate'
before=$(generation)
cert third key
ok "the watch finds a new one without being told" wait_for 30 serves third
# New processes serve before master has heard from all of them.
taken() { [ "$(generation)" -gt "$before" ]; }
ok "it is master's, too" wait_for 30 taken
before=$(generation)
: >"$INST/cert.pem"
refused() {
	[ "$(grep -c 'ev=reload level=error.*certificate' "$LOG")" -ge 2 ]
}
ok "the watch refuses an empty one" wait_for 30 refused
is "nothing changed" "$(generation)" "$before"
ok "the third is served on" serves third
for role in smtpd login; do
	id=$(postern status --processes |
	    sed -n "s/^pid=\([0-9]*\) role=$role .*/\1/p")
	# shellcheck disable=SC2086
	kill -9 $id
done
CRASHES=yes
ok "also by processes that were killed and came again" wait_for 20 serves third

mv "$LOG" "$LOG.old"
not_ok "reload after the log was moved away, the certificate still empty" \
    postern reload
ok "the new log file says so" log_has 'ev=reload level=error'
noted() {
	log_has 'postern/queue.*ev=delivered' && log_has 'postern/smtpd'
}
message a@client.test "$USER1" log >"$T/m"
ok "a letter" smtp a@client.test "$USER1" "$T/m"
ok "arrives" mail_wait user001 1
ok "all write to the new log file" wait_for 10 noted
mv "$LOG" "$LOG.older"
cert fourth key
ok "reload after it was moved away again" postern reload
ok "the fourth is served" serves fourth
message a@client.test "$USER1" log >"$T/m"
ok "a letter" smtp a@client.test "$USER1" "$T/m"
ok "arrives" mail_wait user001 2
ok "all write to the new log file" wait_for 10 noted

head -c 64 "$INST/maps/users.cdb" >"$T/short"
cat "$T/short" >"$INST/maps/users.cdb"
ok "a map cut short while it is in use: look at it" \
    python3 - "$RUN/ctl.sock" <<'X'
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(struct.pack(">HII", 80, 1, 1) + struct.pack(">I", 3) + b"map")
s.settimeout(240)
assert s.recv(1000)[:2] == struct.pack(">H", 82)
X
ok "master says what is wrong" log_has 'ev=map level=error name=users'
message a@client.test "$USER2" map >"$T/m"
ok "mail is taken by the old one" smtp a@client.test "$USER2" "$T/m"
ok "and delivered" mail_wait user002 1
ok "the map is made again" postern map
fresh() {
	[ "$(grep -c 'ev=map name=users why=new' "$LOG")" -ge 1 ]
}
ok "and taken" wait_for 20 fresh
finish
