#!/bin/sh
# Garbage on every socket, TCP and IPC: each gets its protocol's error or is
# closed; the house stands and takes the next letter.
. "$(dirname "$0")/../lib.sh"
need python3 curl
# few errors: each beyond half the budget is answered later
instance_start --users 1 --set smtp-errors=1
cat >"$T/garbage.py" <<'X'
import concurrent.futures, os, random, socket, sys
random.seed(1)
run, ports = sys.argv[1], [int(p) for p in sys.argv[2:]]

def chunks():
    yield b""
    yield b"\0"
    yield b"\r\n" * 3000
    yield b"A" * 100000
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(50)
    yield b"EHLO " + b"x" * 5000 + b"\r\nQUIT\r\n"
    yield b"USER " + b"\xff" * 600 + b"\r\nPASS \0\r\n"
    yield b"AUTH PLAIN " + b"=" * 20000 + b"\r\n"
    for _ in range(20):
        yield random.randbytes(random.choice((1, 10, 100, 5000, 70000)))

def one(family, kind, where, data):
    s = socket.socket(family, kind)
    s.settimeout(240) # errors are answered slowly
    try:
        s.connect(where)
        s.sendall(data or b"\0")
        if kind == socket.SOCK_SEQPACKET:
            # descriptors nobody asked for
            socket.send_fds(s, [data[:100] or b"\0"], [0, 1, 2])
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass
    except socket.timeout:
        print("# %s never ended: %r" % (where, data[:40]))
    except OSError:
        pass
    s.close()

jobs = [(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port), data)
        for port in ports for data in chunks()]
for name in sorted(os.listdir(run)):
    if name.endswith(".sock"):
        jobs += [(socket.AF_UNIX, kind, os.path.join(run, name), data)
                 for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM)
                 for data in chunks()]
with concurrent.futures.ThreadPoolExecutor(30) as pool:
    for done in [pool.submit(one, *j) for j in jobs]:
        done.result()
print("# %d times garbage" % len(jobs))
X
python3 "$T/garbage.py" "$RUN" "$SMTP_PORT" "$SUBMISSION_PORT" \
    "$SUBMISSIONS_PORT" "$POP3_PORT" "$POP3S_PORT" >"$T/garbage.out" 2>&1
is "garbage is sent" $? 0
note <"$T/garbage.out"
message a@client.test "$USER1" after >"$T/m"
ok "a letter after it" smtp a@client.test "$USER1" "$T/m"
ok "arrives" mail_wait user001 1
like "and is read" "$(pop "$USER1" "$PASS1" 1)" "Subject: after"
ok "postern status" postern status
ok "nobody keeps a connection" wait_for 10 sh -c \
    "test \"\$(ls /proc/\$(cat '$PIDFILE')/fd | wc -l)\" -lt 200"
finish
