#!/bin/sh
# Crowds that hold much and finish nothing: envelopes of a thousand long
# addresses, half messages, half commands, half handshakes. Memory stays
# bounded, the next letter is taken, and nothing is left of them.
. "$(dirname "$0")/../lib.sh"
need python3 curl
instance_start --users 1 --set smtp-processes=1 --set login-processes=1
cat >"$T/crowd.py" <<'Y'
import os, re, resource, socket, sys
kind, port, crowd, pid, domain, mb = sys.argv[1], *map(int, sys.argv[2:5]), *sys.argv[5:7]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def address(i):
    """long, and known: a subaddress"""
    tail = b"%d" % i
    return b"user001+" + b"x" * (56 - len(tail)) + tail + b"@" + domain.encode()


ENVELOPE = b"".join(b"RCPT TO:<" + address(i) + b">\r\n" for i in range(1000))
HELLO = b"EHLO c.test\r\n"
SAY = {
    "envelopes": [HELLO, b"MAIL FROM:<a@c.test>\r\n" + ENVELOPE],
    "bodies": [HELLO, b"MAIL FROM:<a@c.test>\r\nRCPT TO:<user001@" +
               domain.encode() + b">\r\nDATA\r\n", b"x" * 60000],
    "lines": [b"N" * 2000],
    "logins": [b"USER " + b"u" * 400],
    "handshakes": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 300],
}[kind]


def memory():
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"RssAnon:\s*(\d+)", f.read()).group(1)) // 1024


def lines(s, n):
    """n replies; the last line of each has a blank behind its code"""
    got = b""
    while len(re.findall(rb"(?m)^\d\d\d ", got)) < n:
        part = s.recv(65536)
        if part == b"":
            raise ConnectionError("closed")
        got += part
    return got


people, busy = [], 0
for i in range(crowd):
    s = socket.create_connection(("127.0.0.1", port), timeout=300)
    people.append(s)
    if kind == "handshakes":
        s.sendall(SAY[0])
        continue
    if kind == "logins":
        s.recv(100)
        s.sendall(SAY[0])
        continue
    lines(s, 1)
    for k, part in enumerate(SAY):
        s.sendall(part)
        want = part.count(b"\n")
        if want:
            busy += lines(s, want).count(b"452 4.3.1")
most = memory()
print("# %s: %d clients, %d MiB, %d times too busy" % (kind, crowd, most, busy))
if kind == "envelopes" and busy == 0:
    sys.exit("nobody was told to wait")
sys.exit(0 if most <= int(mb) else "too much memory")
Y
pid_of() { # role
	ps -A -ww -o pid= -o args= | awk -v p="$INST/libexec/$1" \
	    '$2 == p { print $1 }' | head -1
}
crowd() { # what port clients role MiB
	ok "a crowd with $1" python3 "$T/crowd.py" "$1" "$2" "$3" \
	    "$(pid_of "$4")" "$DOMAIN" "$5"
	note <"$T/out"
}
n=0
letter() {
	n=$((n + 1))
	message a@client.test "$USER1" "letter-$n" >"$T/m"
	ok "a letter after it" smtp a@client.test "$USER1" "$T/m"
	ok "arrives" mail_wait user001 $n
}
[ -z "$SAN" ] || note "memory is not looked at with sanitizers"
room() {
	[ -z "$SAN" ] && echo "$1" || echo 100000
}
crowd envelopes "$SMTP_PORT" 900 smtpd "$(room 100)"
letter
crowd bodies "$SMTP_PORT" 900 smtpd "$(room 150)"
letter
crowd lines "$SMTP_PORT" 900 smtpd "$(room 150)"
letter
crowd logins "$POP3_PORT" 40 login "$(room 50)"
crowd handshakes "$POP3S_PORT" 40 login "$(room 50)"
ok "mail is read after that" pop "$USER1" "$PASS1" 1
finish
