#!/usr/bin/env python3
"""bench.py: the clients, and the other host, of t/bench.

bench.py logins POP3|IMAP PORT USER PASSWORD COUNT
    COUNT sessions, one after the other.
bench.py idle PORT COUNT plain|tls
    holds COUNT connections before login; says "held", ends at a line.
bench.py idle-imap PORT ENV COUNT
    holds COUNT sessions in IDLE, of the users in the file ENV in turn.
bench.py sink PORT COUNT
    another host: takes mail on PORT, 0 for any. Says the port, and after
    COUNT messages the time that has passed since the first one was begun,
    in seconds, and how many connections there were.
bench.py mailbox MAILDIR COUNT
    fills a Maildir with COUNT messages, the same each time.
bench.py imap PORT USER PASSWORD MAILDIR COUNT HOUSE
    what a client asks of that folder; HOUSE is the directory of the programs,
    whose CPU is counted.
"""
import asyncio
import glob
import os
import random
import re
import resource
import socket
import ssl
import sys
import time

INDEX = ("postern.log", "postern.map", "postern.cache")


# --- connections that wait

def logins(kind, port, user, password, count):
    talk = {"POP3": ["USER %s" % user, "PASS %s" % password, "QUIT"],
            "IMAP": ["a LOGIN %s %s" % (user, password), "b LOGOUT"]}[kind]
    for _ in range(int(count)):
        s = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
        f = s.makefile("rb")
        f.readline()
        for line in talk:
            s.sendall(line.encode() + b"\r\n")
            got = f.readline()
            assert b"OK" in got or b"BYE" in got, got
        f.read()
        s.close()


def hold(held):
    print("held", flush=True)
    sys.stdin.readline()
    for s in held:
        s.close()


def room_for(count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))


def idle(port, count, tls):
    room_for(int(count))
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    held = []
    for _ in range(int(count)):
        s = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
        if tls == "tls":
            s = ctx.wrap_socket(s)
        s.recv(1000)
        held.append(s)
    hold(held)


def idle_imap(port, env, count):
    room_for(int(count))
    with open(env) as f:
        words = dict(re.findall(r"^((?:USER|PASS)\d+)='(.*)'$", f.read(),
                                re.M))
    users = len(words) // 2
    held = []
    for i in range(int(count)):
        c = Client(int(port))
        n = i % users + 1
        c("LOGIN %s %s" % (words["USER%d" % n], words["PASS%d" % n]))
        c("SELECT INBOX")
        c.send(b"i IDLE\r\n")
        c.until(b"+ ")
        held.append(c.sock)
    hold(held)


# --- the other host

class Sink(asyncio.Protocol):
    """As little of SMTP as a receiver needs, and as fast."""
    host = None
    begun = 0.0
    taken = connections = 0
    wanted = 0
    done = None

    def connection_made(self, transport):
        Sink.connections += 1
        self.transport = transport
        self.buffer = b""
        self.data = False
        transport.write(b"220 sink.test ESMTP\r\n")

    def data_received(self, data):
        self.buffer += data
        out = b""
        while True:
            if self.data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end == -1:
                    break
                self.buffer = self.buffer[end + 5:]
                self.data = False
                out += b"250 2.0.0 taken\r\n"
                Sink.taken += 1
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                break
            self.buffer = rest
            out += self.answer(line[:4].upper())
        if out:
            self.transport.write(out)
        if Sink.taken >= Sink.wanted and not Sink.done.done():
            Sink.done.set_result(time.monotonic())

    def answer(self, verb):
        if verb == b"EHLO":
            return (b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                    b"250-SIZE\r\n250 ENHANCEDSTATUSCODES\r\n")
        if verb == b"DATA":
            self.data = True
            return b"354 go on\r\n"
        if verb == b"MAIL" and not Sink.begun:
            Sink.begun = time.monotonic()
        if verb == b"QUIT":
            return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 ok\r\n"


async def sink(port, count):
    loop = asyncio.get_running_loop()
    Sink.done = loop.create_future()
    Sink.wanted = int(count)
    server = await loop.create_server(Sink, "127.0.0.1", int(port),
                                      backlog=1000, reuse_address=True)
    print(server.sockets[0].getsockname()[1], flush=True)
    end = await Sink.done
    print("%.3f %d" % (end - Sink.begun, Sink.connections), flush=True)
    sys.stdin.readline()  # relay may keep its connections until then


# --- a mailbox

def words_of(r, lines):
    return "".join(" ".join(r.choices(WORDS, k=9)) + "\n"
                   for _ in range(lines))


WORDS = ["".join(random.Random(n).choices("etaoinshrdlu", k=2 + n % 7))
         for n in range(1000)]
BASE64 = "".join("%s\n" % ("QUJD" * 19) for _ in range(260))
HEAD = """Return-Path: <p%(who)d@corp.test>
Received: from mx.corp.test (mx.corp.test [192.0.2.7])
\tby mx.bench.test with ESMTPS id Q%(n)d; %(date)s
From: "Person %(who)d" <p%(who)d@corp.test>
To: user001@bench.test
Subject: %(subject)s
Message-ID: <%(n)d@corp.test>
In-Reply-To: <%(before)d@corp.test>
Date: %(date)s
MIME-Version: 1.0
"""
TEXT = "Content-Type: text/plain; charset=utf-8\n\n%s"
BOTH = ("Content-Type: multipart/alternative; boundary=alt\n\n"
        "--alt\nContent-Type: text/plain; charset=utf-8\n\n%s\n"
        "--alt\nContent-Type: text/html; charset=utf-8\n\n<p>%s</p>\n"
        "--alt--\n")
FILE = ("Content-Type: multipart/mixed; boundary=mix\n\n"
        "--mix\nContent-Type: text/plain; charset=utf-8\n\n%s\n"
        "--mix\nContent-Type: application/pdf; name=a.pdf\n"
        "Content-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename=a.pdf\n\n" + BASE64 +
        "--mix--\n")


def letter(n):
    r = random.Random(n)
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000",
                         time.gmtime(1700000000 + n * 600))
    text = words_of(r, r.randrange(5, 60))
    if n % 2000 == 7:
        text += "zyxquorum\n"
    body = (TEXT % text if n % 4 == 0 else FILE % text if n % 4 == 1
            else BOTH % (text, text))
    return (HEAD % {"who": r.randrange(300), "n": n, "date": date,
                    "subject": " ".join(r.choices(WORDS, k=5)),
                    "before": max(0, n - r.randrange(1, 50))} + body).encode()


def mailbox(maildir, count):
    owner = os.stat(maildir)
    for n in range(int(count)):
        data = letter(n)
        name = "%d.M%dP1.bench,S=%d:2,%s" % (
            1700000000 + n * 600, n, len(data), "" if n % 3 == 0 else "S")
        path = os.path.join(maildir, "cur", name)
        with open(path, "xb") as f:
            f.write(data)
        os.chown(path, owner.st_uid, owner.st_gid)


# --- what a client asks

class Client:
    """Reads as fast as it can, and believes: t/imap.py is the strict one."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until(b"* OK")

    def send(self, data):
        self.sock.sendall(data)

    def until(self, start):
        """Up to the line that begins so; how many bytes came."""
        tail, size = b"\r\n", 0
        while True:
            got = self.sock.recv(1 << 20)
            assert got, "the server has gone: %r" % tail
            size += len(got)
            tail = tail[-2000:] + got
            at = tail.rfind(b"\r\n" + start)
            if at != -1 and tail.endswith(b"\r\n"):
                self.tail = tail[at + 2:]
                return size

    def __call__(self, line):
        self.send(b"t " + line.encode() + b"\r\n")
        size = self.until(b"t ")
        assert self.tail.startswith(b"t OK"), self.tail
        return size

    def append(self, data):
        self.send(b"t APPEND bench {%d}\r\n" % len(data))
        self.until(b"+ ")
        self.send(data + b"\r\n")
        self.until(b"t OK")


def spent(house):
    """Seconds that the living processes of a house have been running."""
    total = 0
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path) as f:
                if not f.read().startswith(house):
                    continue
            with open(os.path.dirname(path) + "/schedstat") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total / 1e9


class Asker:
    def __init__(self, port, user, password, house):
        self.port, self.house = int(port), house
        self.login = "LOGIN %s %s" % (user, password)
        self.client = None

    def measure(self, what, count, fn):
        cpu, begin = spent(self.house), time.monotonic()
        size = fn()
        wall = time.monotonic() - begin
        cpu = spent(self.house) - cpu
        print("  %-26s %9.1f ms, CPU %8.1f ms%s%s" % (
            what, wall * 1e3, cpu * 1e3,
            ", %.4f ms each" % (cpu * 1e3 / count) if count > 1 else "",
            ", %d KiB" % (size >> 10) if size and size > 10240 else ""),
            flush=True)

    def enter(self):
        self.client = Client(self.port)
        self.client(self.login)

    def leave(self):
        self.client("LOGOUT")
        self.client.sock.close()

    def select(self, what):
        self.enter()
        self.ask(what + " select", "SELECT INBOX")

    def ask(self, what, line, count=1):
        self.measure(what, count, lambda: self.client(line))


def forget(maildir, names):
    for name in names:
        try:
            os.unlink(os.path.join(maildir, name))
        except FileNotFoundError:
            pass


def imap(port, user, password, maildir, count, house):
    n = int(count)
    some = n // 10
    a = Asker(port, user, password, house)
    fetches = [("envelope", "FETCH 1:* (UID ENVELOPE)"),
               ("bodystructure", "FETCH 1:* (UID BODYSTRUCTURE)")]
    searches = [("search subject", "SEARCH SUBJECT zyxquorum"),
                ("search text", "SEARCH TEXT zyxquorum")]
    forget(maildir, INDEX)
    a.select("first")       # nothing is known
    a.leave()
    for what, line in fetches + searches:
        forget(maildir, INDEX[2:])  # uids are, what was parsed is not
        a.enter()
        a.client("SELECT INBOX")
        a.ask("cold " + what, line, n if what[0] != "s" else 1)
        a.leave()
    a.measure("login", 1, a.enter)
    a.ask("warm select", "SELECT INBOX")
    a.ask("flags", "FETCH 1:* (UID FLAGS)", n)
    for what, line in fetches:
        a.ask(what, line, n)
    a.ask("body", "FETCH 1:* BODY.PEEK[]", n)
    for what, line in searches:
        a.ask(what, line)
    a.ask("store %d" % some, "STORE 1:%d +FLAGS (\\Flagged)" % some, some)
    a.client("CREATE bench")
    mail = [letter(i).replace(b"\n", b"\r\n") for i in range(some)]
    a.measure("append %d" % some, some,
              lambda: [a.client.append(m) for m in mail] and 0)
    a.ask("copy %d" % some, "COPY 1:%d bench" % some, some)
    a.leave()


def main():
    verbs = {"logins": (logins, 5), "idle": (idle, 3),
             "idle-imap": (idle_imap, 3), "mailbox": (mailbox, 2),
             "imap": (imap, 6),
             "sink": (lambda *a: asyncio.run(sink(*a)), 2)}
    words = sys.argv[1:]
    fn, count = verbs.get(words[0] if words else "", (None, 0))
    if fn is None or len(words) != count + 1:
        print(__doc__, file=sys.stderr)
        return 64
    fn(*words[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
