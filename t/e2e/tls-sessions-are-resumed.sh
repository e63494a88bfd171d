#!/bin/sh
# A client that comes again takes up its TLS session with whichever process it
# meets, also after a reload; what POP3 gave is nothing to IMAP or SMTP.
. "$(dirname "$0")/../lib.sh"
need python3
instance_start --users 1 --set smtp-processes=3 --set login-processes=3
cat >"$T/resume.py" <<'Y'
"""resume.py CA SERVICE:PORT SERVICE:PORT FILE: a session of the first service
(or of an earlier run, if FILE says so), and how often the second took it up"""
import socket, ssl, sys
ca, first, second, reload = sys.argv[1:5]
context = ssl.create_default_context(cafile=ca)


def meet(port, session=None):
    raw = socket.create_connection(("localhost", port), timeout=300)
    s = context.wrap_socket(raw, server_hostname="localhost", session=session)
    s.recv(1000)  # the greeting, and the ticket in front of it
    if port == SMTP:
        s.sendall(b"QUIT\r\n")
    else:
        s.sendall(b"a LOGOUT\r\n" if port == IMAP else b"QUIT\r\n")
    s.recv(1000)
    got = s.session, s.session_reused
    try:
        s.unwrap()  # or the session would be thought cut off, and spoilt
    except OSError:
        pass
    s.close()
    return got


SMTP, IMAP = int(sys.argv[5]), int(sys.argv[6])
session, _ = meet(int(first))
print("have", flush=True)
if reload == "reload":
    sys.stdin.readline()
print(sum(meet(int(second), session)[1] for _ in range(20)), flush=True)
Y
resume() { # port port reload?
	python3 "$T/resume.py" "$CA" "$1" "$2" "$3" "$SUBMISSIONS_PORT" \
	    "$IMAPS_PORT"
}
is "smtpd: all of them know it" \
    "$(resume "$SUBMISSIONS_PORT" "$SUBMISSIONS_PORT" no | tail -1)" 20
is "login: all of them know it" \
    "$(resume "$IMAPS_PORT" "$IMAPS_PORT" no | tail -1)" 20
is "IMAP's is nothing to POP3" \
    "$(resume "$IMAPS_PORT" "$POP3S_PORT" no | tail -1)" 0
is "nor to SMTP" \
    "$(resume "$IMAPS_PORT" "$SUBMISSIONS_PORT" no | tail -1)" 0
mkfifo "$T/go"
resume "$IMAPS_PORT" "$IMAPS_PORT" reload <"$T/go" >"$T/got" &
client=$!
exec 7>"$T/go"
ok "a session before the reload" wait_for 20 grep -q have "$T/got"
ok "reload" postern reload
echo >&7
wait $client
is "is known after it" "$(tail -1 "$T/got")" 20
finish
