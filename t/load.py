#!/usr/bin/env python3
"""load.py: many messages into an instance, and what became of them.

load.py send HOST PORT FROM DOMAIN USERS COUNT SESSIONS SIZE ACKED [--reuse]
    sends COUNT messages with numbers (X-Number), to user001.. in turn, each
    until it is acknowledged; what got 250 goes to the file ACKED at once, a
    line "NUMBER QID". A refused or broken attempt is repeated.
load.py verify MAILROOT ACKED
    looks for every acknowledged message in the Maildirs below MAILROOT. Exit
    1 if one is missing or if one queue id was delivered twice. Prints the
    counts: a second copy with another queue id is what the client sent again
    because it got no answer (RFC 1047).
"""
import os
import re
import socket
import sys
import threading
import time

GIVE_UP = float(os.environ.get("LOAD_SECONDS", "300"))
PAUSE = float(os.environ.get("LOAD_PAUSE", "0"))  # s between two messages


class Refused(Exception):
    pass


class Client:
    """As little of SMTP as a sender needs, with all errors as exceptions."""

    def __init__(self, host, port):
        self.sock = socket.create_connection((host, port), timeout=300)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.expect("2")
        self.command("EHLO client.test", "2")

    def expect(self, code):
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Refused("connection lost")
            if line[3:4] != b"-":
                break
        text = line.decode("latin-1").strip()
        if not text.startswith(code):
            raise Refused(text)
        return text

    def command(self, line, code):
        self.sock.sendall(line.encode("latin-1") + b"\r\n")
        return self.expect(code)

    def message(self, sender, rcpt, data):
        self.command("MAIL FROM:<%s>" % sender, "2")
        self.command("RCPT TO:<%s>" % rcpt, "2")
        self.command("DATA", "3")
        self.sock.sendall(data + b".\r\n")
        return self.expect("2")

    def close(self):
        try:
            self.sock.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.file.close()
        self.sock.close()


def body(number, sender, rcpt, size):
    head = ("From: <%s>\r\nTo: <%s>\r\nSubject: message %d\r\n"
            "X-Number: %d\r\n\r\n" % (sender, rcpt, number, number)).encode()
    line = b"x" * 70 + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


def send(host, port, sender, domain, users, count, sessions, size, acked,
         reuse):
    lock = threading.Lock()
    state = {"next": 1, "again": 0, "failed": 0}
    out = open(acked, "a", buffering=1)
    deadline = time.monotonic() + GIVE_UP

    def one(client, number):
        rcpt = "user%03d@%s" % ((number - 1) % users + 1, domain)
        answer = client.message(sender, rcpt, body(number, sender, rcpt, size))
        qid = answer.split()[-1]
        with lock:
            out.write("%d %s\n" % (number, qid))

    def work():
        client = None
        while True:
            with lock:
                number = state["next"]
                if number > count:
                    break
                state["next"] += 1
            while True:
                try:
                    if client is None:
                        client = Client(host, port)
                    one(client, number)
                    time.sleep(PAUSE)
                    if not reuse:
                        client.close()
                        client = None
                    break
                except (OSError, Refused) as e:
                    if os.environ.get("LOAD_TELL"):
                        print("# %d: %s" % (number, e))
                    if client is not None:
                        client.close()
                        client = None
                    if time.monotonic() > deadline:
                        with lock:
                            state["failed"] += 1
                        return
                    with lock:
                        state["again"] += 1
                    time.sleep(0.05)
        if client is not None:
            client.close()

    begin = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - begin
    print("# sent %d messages in %.2f s, %.0f/s; %d attempts repeated, "
          "%d given up" % (count, took, count / took, state["again"],
                           state["failed"]))
    return 1 if state["failed"] else 0


def verify(root, acked):
    found = {}  # number -> list of queue ids
    for place, _, files in os.walk(root):
        if os.path.basename(place) not in ("new", "cur"):
            continue
        for name in files:
            with open(os.path.join(place, name), "rb") as f:
                head = f.read(4096)
            m = re.search(rb"^X-Number: (\d+)", head, re.M)
            if m:
                q = re.search(r"\.Q([0-9A-Za-z]+)_", name)
                found.setdefault(int(m.group(1)), []).append(
                    q.group(1) if q else name)
    acks = {}
    for line in open(acked):
        number, qid = line.split()
        acks.setdefault(int(number), []).append(qid)
    missing = [n for n in acks if n not in found]
    lost = [(n, q) for n, qids in acks.items() for q in qids
            if q not in found.get(n, [])]
    copies = sum(len(q) - 1 for q in found.values())
    twice = sum(len(q) - len(set(q)) for q in found.values())
    print("# acknowledged %d, arrived %d, missing %d, queue ids missing %d"
          % (len(acks), len(found), len(missing), len(lost)))
    print("# second copies %d: same queue id %d, sent again by the client %d"
          % (copies, twice, copies - twice))
    for n, q in lost[:10]:
        print("# lost: message %d, queue id %s" % (n, q))
    return 1 if missing or lost or twice else 0


def main():
    a = sys.argv[1:]
    if len(a) >= 10 and a[0] == "send":
        return send(a[1], int(a[2]), a[3], a[4], int(a[5]), int(a[6]),
                    int(a[7]), int(a[8]), a[9], "--reuse" in a)
    if len(a) == 3 and a[0] == "verify":
        return verify(a[1], a[2])
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main())
