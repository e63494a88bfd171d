"""pop3d, one session at a time, over a socket pair and without master."""
import atexit
import os
import shutil
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import PATIENCE, Child, Tap
from wire import POP3D

t = Tap()
top = tempfile.mkdtemp(prefix="postern-pop3d.")
atexit.register(shutil.rmtree, top, True)
count = 0


class Session:
    """What a client sees. The Maildir is made of {name: bytes}."""

    def __init__(self, new=None, cur=None, given=b"", **kw):
        global count
        count += 1
        self.root = kw.pop("root", os.path.join(top, "r%d" % count))
        self.mailbox = os.path.join(self.root, "example.org/ann/Maildir")
        for sub, files in ("new", new), ("cur", cur), ("tmp", None):
            where = os.path.join(self.mailbox, sub)
            if new is not None or cur is not None:
                os.makedirs(where, exist_ok=True)
            for name, data in (files or {}).items():
                with open(os.path.join(where, name), "wb") as f:
                    f.write(data)
        os.makedirs(self.root, exist_ok=True)
        self.child = Child(POP3D, self.root, kw.pop("mailbox", self.mailbox),
                           given=given, **kw)
        self.sock = self.child.peer
        self.sock.settimeout(PATIENCE)
        self.file = self.sock.makefile("rb")
        self.greeting = self.line()

    def line(self):
        line = self.file.readline()
        if line and not line.endswith(b"\r\n"):
            return b"no CR LF: " + line
        return line[:-2]

    def send(self, data):
        self.sock.sendall(data)

    def cmd(self, text):
        self.send(text.encode() + b"\r\n")
        return self.line().decode()

    def rest(self):
        """The lines of a multi-line answer, unstuffed."""
        lines = []
        while True:
            line = self.line()
            if line == b".":
                return lines
            if not line and self.at_end():
                return None
            lines.append(line[1:] if line.startswith(b".") else line)

    def at_end(self):
        return self.file.peek(1) == b""

    def many(self, text):
        answer = self.cmd(text)
        return self.rest() if answer.startswith("+OK") else answer

    def files(self):
        return sorted(os.path.join(s, n) for s in ("cur", "new")
                      for n in os.listdir(os.path.join(self.mailbox, s)))

    def path(self, name):
        return os.path.join(self.mailbox, name)

    def end(self):
        self.file.close()
        return self.child.end()


A = b"Subject: a\n\n.dot\n..two\nline 3\n"
B = b"Subject: b\nTo: x\n\none\ntwo"
THREE = {"1000.a.host,S=%d,W=%d" % (len(A), len(A) + A.count(b"\n")): A,
         "999.b.host": B, "1001.c.host:2,": b"only a header: x\n"}


def wire(data):
    return len(data) + data.count(b"\n") + (0 if data.endswith(b"\n") else 2)


# The commands, RFC 1939 5 to 7.
s = Session(new=THREE)
t.same(s.greeting, b"+OK 3 messages", "it greets once the maildrop is open")
total = sum(wire(m) for m in THREE.values())
t.same(s.cmd("STAT"), "+OK 3 %d" % total, "STAT")
t.same(s.many("LIST"), [b"1 %d" % wire(B), b"2 %d" % wire(A), b"3 18"],
       "LIST: oldest first, sizes as on the wire")
t.same(s.cmd("list 2"), "+OK 2 %d" % wire(A), "LIST n, in any case")
t.same(s.many("UIDL"), [b"1 999.b.host", b"2 1000.a.host", b"3 1001.c.host"],
       "UIDL")
t.same(s.cmd("UIDL 1"), "+OK 1 999.b.host", "UIDL n")
t.same(s.many("RETR 2"), A[:-1].split(b"\n"), "RETR, dots unstuffed")
t.same(s.many("RETR 1"), B.split(b"\n"), "RETR ends an unended line")
for n, data in (1, B), (2, A), (3, b"only a header: x\n"):
    s.send(b"RETR %d\r\n" % n)
    s.line()
    got = sum(len(line) + 2 for line in s.rest())
    t.same(got, wire(data), "LIST says what RETR %d sends" % n)
t.same(s.many("TOP 2 0"), [b"Subject: a", b""], "TOP n 0: header and blank")
t.same(s.many("TOP 2 1"), [b"Subject: a", b"", b".dot"], "TOP n 1")
t.same(s.many("TOP 2 99"), A[:-1].split(b"\n"), "TOP n more than there is")
t.same(s.many("TOP 3 5"), [b"only a header: x"], "TOP without a body")
t.same(s.cmd("NOOP"), "+OK", "NOOP")
t.same(s.cmd("DELE 2"), "+OK", "DELE")
t.ok(s.cmd("DELE 2").startswith("-ERR"), "not twice")
t.ok(s.cmd("RETR 2").startswith("-ERR"), "RETR of a deleted one")
t.ok(s.cmd("TOP 2 1").startswith("-ERR"), "TOP of a deleted one")
t.ok(s.cmd("LIST 2").startswith("-ERR"), "LIST of a deleted one")
t.ok(s.cmd("UIDL 2").startswith("-ERR"), "UIDL of a deleted one")
t.same(s.cmd("STAT"), "+OK 2 %d" % (total - wire(A)), "STAT leaves it out")
t.same(s.many("LIST"), [b"1 %d" % wire(B), b"3 18"], "so does LIST")
t.same(s.many("UIDL"), [b"1 999.b.host", b"3 1001.c.host"], "so does UIDL")
t.same(s.cmd("RSET"), "+OK", "RSET")
t.same(s.cmd("STAT"), "+OK 3 %d" % total, "brings it back")
for bad in ("RETR", "RETR 0", "RETR 4", "RETR x", "RETR -1", "RETR 1 2",
            "RETR 99999999999999999999", "DELE", "TOP 1", "TOP 1 x", "TOP",
            "STAT 1", "NOOP x", "USER ann", "PASS x", "STLS", "UTF8", "",
            " STAT", "XYZZY", "LIST 0", "UIDL 9", "QUIT now"):
    t.ok(s.cmd(bad).startswith("-ERR"), "refused: '%s'" % bad)
t.ok(s.cmd("X" * 5000).startswith("-ERR"), "a line too long")
t.ok(s.cmd("NOOP " + "y" * 400).startswith("-ERR"), "a long line, not too")
t.same(s.cmd("NOOP"), "+OK", "and it goes on")
capa = s.many("CAPA")
t.ok({b"TOP", b"UIDL", b"USER", b"RESP-CODES", b"AUTH-RESP-CODE",
      b"PIPELINING", b"EXPIRE NEVER"} <= set(capa) and
     any(c.startswith(b"SASL ") and b"PLAIN" in c for c in capa) and
     any(c.startswith(b"IMPLEMENTATION ") for c in capa), "CAPA", capa)
s.cmd("DELE 1")
s.cmd("DELE 3")
t.ok(s.cmd("QUIT").startswith("+OK"), "QUIT")
t.ok(s.at_end(), "ends the connection")
t.same(s.end(), 0, "and the process")
t.ok(len(s.files()) == 1 and s.files()[0].startswith("new/1000.a"),
     "deleted messages are gone, the other is where it was", s.files())
log = s.child.logged()
t.ok("ev=logout" in log and "sid=testsid" in log and "removed=2" in log,
     "the log tells", log)

# Pipelining, what the front had read, the empty maildrop.
s = Session(new=THREE, given=b"STAT\r\nNO")
t.same(s.line(), b"+OK 3 %d" % total, "what the front had read is served")
s.send(b"OP\r\nUIDL 1\r\nRETR 2\r\nNOOP\nQUIT\r\nDELE 1\r\n")
got = [s.line() for _ in range(3)]
s.rest()
t.same(got + [s.line(), s.line()],
       [b"+OK", b"+OK 1 999.b.host", b"+OK", b"+OK", b"+OK bye"],
       "a pipeline is served in order, also across a split")
s.end()
t.same(len(s.files()), 3, "nothing after QUIT is done")
s = Session()
t.same(s.greeting, b"+OK 0 messages", "a missing mailbox is an empty one")
t.same(s.many("LIST"), [], "LIST of nothing")
t.same(s.many("UIDL"), [], "UIDL of nothing")
t.same(s.cmd("STAT"), "+OK 0 0", "STAT of nothing")
t.ok(s.cmd("RETR 1").startswith("-ERR"), "RETR of nothing")
s.end()

# Without QUIT nothing is removed: RFC 1939 6.
s = Session(new=THREE)
s.cmd("DELE 1")
s.end()
t.same(len(s.files()), 3, "a lost connection removes nothing")
s = Session(new=THREE)
s.cmd("DELE 1")
s.child.term()
line = s.line()
t.ok(line.startswith(b"-ERR [SYS/TEMP]") and s.at_end(),
     "SIGTERM ends an idle session with a word", line)
s.end()
t.same(len(s.files()), 3, "and removes nothing")
s = Session(new=THREE)
s.cmd("DELE 1")
s.child.process.kill()
s.end()
t.same(len(s.files()), 3, "nor does a kill")

# Others work in the same Maildir.
s = Session(new=THREE)
os.rename(s.path("new/999.b.host"), s.path("cur/999.b.host:2,S"))
t.same(s.many("RETR 1"), B.split(b"\n"), "moved to cur/: found")
os.rename(s.path("cur/999.b.host:2,S"), s.path("cur/999.b.host:2,FRSabc"))
t.same(s.many("TOP 1 0"), [b"Subject: b", b"To: x", b""], "re-flagged: found")
os.unlink(s.path("new/1001.c.host:2,"))
t.ok(s.cmd("RETR 3").startswith("-ERR"), "removed: -ERR")
t.same(s.many("UIDL"), [b"1 999.b.host", b"2 1000.a.host"],
       "the others keep their numbers")
with open(s.path("new/1.early.host"), "wb") as f:
    f.write(b"x\n")
os.rename(s.path("cur/999.b.host:2,FRSabc"), s.path("cur/999.b.host:2,"))
t.same(s.many("RETR 1"), B.split(b"\n"), "new mail does not shift them")
s.cmd("DELE 1")
s.cmd("DELE 2")
os.rename(s.path("cur/999.b.host:2,"), s.path("cur/999.b.host:2,S"))
os.unlink(s.path([f for f in s.files() if "1000.a" in f][0]))
t.same(s.cmd("QUIT"), "+OK bye", "QUIT removes a moved one; a removed one "
       "is removed")
s.end()
t.same(s.files(), ["new/1.early.host"], "only the new one is left")

# Unique-ids.
odd = {"5.x.host,S=1": b"1", "5.x.host,S=2": b"2", "6." + "y" * 80: b"3",
       "7.sp ace": b"4", "noname": b"5", "8.\u00fc": b"6", ".hidden": b"7"}
s = Session(new=odd)
first = s.many("UIDL")
ids = [line.split(b" ", 1)[1] for line in first]
t.ok(len(set(ids)) == 6 and all(
    1 <= len(i) <= 70 and all(0x21 <= c <= 0x7e for c in i) for i in ids),
    "every message has a unique-id of its own, whatever its name", first)
root = s.root
for name in os.listdir(s.path("new")):
    if name[0] != ".":
        os.rename(s.path("new/" + name), s.path("cur/" + name + ":2,S"))
s.cmd("QUIT")
s.end()
s = Session(root=root)
t.same(s.many("UIDL"), first, "which it keeps when it is flagged")
s.end()

# One file in both directories is one message; what is no message is none.
s = Session(new={"5.x.host": b"x\n"}, cur={"5.x.host:2,S": b"x\n"})
t.same(s.greeting, b"+OK 1 message", "a message seen twice counts once")
s.end()
s = Session(new={"5.x.host": b"x\n"})
s.end()
os.mkdir(s.path("cur/6.dir"))
os.symlink("/etc/passwd", s.path("cur/7.link"))
os.mkfifo(s.path("cur/8.fifo"))
s = Session(root=s.root)
t.same(s.greeting, b"+OK 1 message", "directories, links, pipes are none")
os.unlink(s.path("new/5.x.host"))
os.symlink("/etc/passwd", s.path("new/5.x.host"))
t.ok(s.cmd("RETR 1").startswith("-ERR"), "nor if a message becomes one")
s.end()

# Mail with CR LF, bare CR, NUL; litter in tmp/.
raw = b"a: b\r\n\r\nx\r\n\x00\rz\n"
s = Session(new={"5.x.host": raw})
t.same(s.many("RETR 1"), [b"a: b", b"", b"x", b"?z"], "CR LF, NUL in a file")
t.same(s.cmd("LIST 1"), "+OK 1 15", "counts as it is sent")
t.same(s.many("TOP 1 0"), [b"a: b", b""], "and ends the header")
for name, age in ("old", 3 * 86400), ("young", 60):
    with open(s.path("tmp/" + name), "wb"):
        pass
    os.utime(s.path("tmp/" + name), (time.time() - age,) * 2)
s.cmd("QUIT")
s.end()
t.same(os.listdir(s.path("tmp")), ["young"], "old litter in tmp/ is removed")

# A mailbox that cannot be opened.
s = Session(mailbox="/etc/Maildir")
t.ok(s.greeting.startswith(b"-ERR [SYS/PERM]") and s.at_end(),
     "a mailbox outside its root is refused", s.greeting)
s.end()
t.ok("/etc/Maildir" in s.child.logged(), "and named in the log")
os.makedirs(os.path.join(top, "l/elsewhere/Maildir/new"))
os.symlink("elsewhere", os.path.join(top, "l/link"))
s = Session(root=os.path.join(top, "l"),
            mailbox=os.path.join(top, "l/link/Maildir"))
t.ok(s.greeting.startswith(b"-ERR [SYS/PERM]"), "a link is refused",
     s.greeting)
s.end()
s = Session(root=os.path.join(top, "l"), user="ann",
            mailbox=os.path.join(top, "l/link/Maildir"))
t.same(s.greeting, b"+OK 0 messages", "a system account may have one")
s.end()

# Large: a message, and a maildrop.
line = b"." + b"x" * 75 + b"\n"
large = b"Subject: large\n\n" + line * 30000
s = Session(new={"5.x.host": large})
t.same(s.many("RETR 1"), large[:-1].split(b"\n"), "a large message is whole")
t.same(s.cmd("LIST 1"), "+OK 1 %d" % wire(large), "and its size right")
s.send(b"RETR 1\r\n")
s.file.close()
s.sock.shutdown(socket.SHUT_RDWR)
t.same(s.child.process.wait(PATIENCE), 0, "a client that leaves in the middle")
s = Session(new={"5.x.host": b"a: b\n\n" + b"y" * 400000})
t.same(s.many("RETR 1"), [b"a: b", b"", b"y" * 400000], "a line without end")
s.end()

N = 10000


def pipeline(session, command, good):
    """The command for every message, in windows that fit the socket."""
    all_good = True
    for start in range(1, N + 1, 500):
        session.send(b"".join(command % i for i in range(start, start + 500)))
        all_good = all([good() for _ in range(500)]) and all_good
    return all_good


many = {"%d.m%d.host,S=5,W=6" % (1000 + i, i): b"" for i in range(N)}
s = Session(new=many)
begin = time.monotonic()
s2 = Session(root=s.root)
took = time.monotonic() - begin
t.same(s2.cmd("STAT"), "+OK %d %d" % (N, 6 * N), "ten thousand messages")
print("# opened in %.0f ms" % (took * 1000))
uidl = s2.many("UIDL")
t.ok(len(uidl) == N and uidl[17] == b"18 1017.m17.host",
     "in the order of their arrival")
for name in os.listdir(s.path("new")):
    os.rename(s.path("new/" + name), s.path("cur/" + name + ":2,S"))
t.ok(pipeline(s2, b"TOP %d 0\r\n", lambda: s2.line() == b"+OK" and
              s2.rest() == []), "all are found after all have moved")
t.ok(pipeline(s2, b"DELE %d\r\n", lambda: s2.line() == b"+OK"),
     "all are deleted")
t.same(s2.cmd("QUIT"), "+OK bye", "QUIT")
t.same(s.files(), [], "and gone")
begin = time.monotonic()
t.ok(pipeline(s, b"RETR %d\r\n", lambda: s.line().startswith(b"-ERR")),
     "another session hears that each is gone")
print("# in %.0f ms" % ((time.monotonic() - begin) * 1000))
t.same(s.many("LIST"), [], "and lists none")
s.end()
s2.end()

t.done()
