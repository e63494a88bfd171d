"""deliver, job by job: what lands in the Maildir, what the queue hears."""
import atexit
import os
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import PATIENCE, Child, Tap, receive
from wire import DELIVER, JOB, JOB_IS, send, span, u32, u64

t = Tap()
top = tempfile.mkdtemp(prefix="postern-deliver.")
atexit.register(shutil.rmtree, top, True)
BODY = b"Received: from x\nSubject: hi\n\n.one\ntwo\n"



def job(qid, mailboxes, body=BODY, fd=None, offset=0, size=0,
        sender="bob@example.net", address="ann@example.org"):
    b = u64(qid) + u64(1700000000) + span(sender) + span("sid")
    b += u64(offset) + u64(size) + span(b"" if fd is not None else body)
    b += u32(len(mailboxes))
    for i, m in enumerate(mailboxes):
        b += u32(i) + span(address) + span("any@example.org") + span(m)
    return b + u32(0) + u32(0) + u32(0) + span("") # flags, hop


def results(child):
    kind, b = receive(child.peer)
    if kind != JOB_IS:
        return None
    n, = struct.unpack(">I", b[:4])
    b, out = b[4:], []
    for _ in range(n):
        qid, index, code = struct.unpack(">QII", b[:16])
        b = b[16:]
        texts = []
        for _ in range(2):
            length, = struct.unpack(">I", b[:4])
            texts.append(b[4:4 + length].decode())
            b = b[4 + length:]
        b = b[8:] # about, host
        out.append((qid, index, code, *texts))
    return out


def ask(child, *args, **kw):
    fd = kw.get("fd")
    send(child.peer, JOB, job(*args, **kw), fd)
    return results(child)


def files(mailbox, sub="new"):
    where = os.path.join(root, mailbox, sub)
    return sorted(os.listdir(where)) if os.path.isdir(where) else []


def content(mailbox, i=0):
    path = os.path.join(root, mailbox, "new", files(mailbox)[i])
    with open(path, "rb") as f:
        return f.read()


root = os.path.join(top, "mail root")
os.mkdir(root)
TRACE = b"Return-Path: <bob@example.net>\nDelivered-To: ann@example.org\n"
ANN = "example.org/ann/Maildir"

c = Child(DELIVER, root)
t.ok(c.ready, "it starts and says that it is ready")

r = ask(c, 1 << 40, [os.path.join(root, ANN)])
t.ok(r and r[0][:4] == (1 << 40, 0, 250, "2.0.0"), "a message is delivered", r)
t.same(content(ANN), TRACE + BODY, "with Return-Path and Delivered-To")
name = files(ANN)[0]
size = len(TRACE + BODY)
t.ok(name.startswith("1700000000.Q") and name.endswith(
    "_0.mail.example.org,S=%d,W=%d" % (size, size + 7)),
    "its name says when, what, where and how large", name)
t.same(files(ANN, "tmp"), [], "nothing stays in tmp/")
t.same([oct(os.stat(os.path.join(root, p)).st_mode & 0o777)
        for p in ("example.org", ANN, os.path.join(ANN, "new", name))],
       ["0o700", "0o700", "0o600"], "nobody else may read it")

r = ask(c, 1 << 40, [ANN])
t.ok(r[0][2] == 250 and len(files(ANN)) == 1,
     "the same job again makes no duplicate", r)
t.same(files(ANN, "tmp"), [], "and leaves nothing in tmp/")

r = ask(c, 2 << 40, [ANN, "example.org/bob/Maildir"], body=b"no end")
t.ok([x[1:3] for x in r] == [(0, 250), (1, 250)], "two recipients", r)
t.ok(content("example.org/bob/Maildir").endswith(b"no end\n"),
     "the last line gets its end")

r = ask(c, 3 << 40, ["example.org/crlf/Maildir"], body=b"a: b\r\n\r\nx\r\n")
t.same(content("example.org/crlf/Maildir"), TRACE + b"a: b\n\nx\n",
       "no CR is stored")

r = ask(c, 4 << 40, ["example.org/null/Maildir"], sender="")
t.ok(content("example.org/null/Maildir").startswith(b"Return-Path: <>\n"),
     "the null sender")

loop = b"Subject: x\nDelivered-To: Ann@Example.org\n\nx\n"
r = ask(c, 5 << 40, ["example.org/loop/Maildir"], body=loop)
t.same(r[0][2:4], (554, "5.4.6"), "a message that was here before is refused")
r = ask(c, 6 << 40, ["example.org/loop/Maildir"],
        body=b"Subject: x\n\nDelivered-To: ann@example.org\n")
t.same(r[0][2], 250, "but not for a line in its body")

# A large message comes as a file, in the middle of which the body lies.
line = b"." + b"x" * 70 + b"\n"
large = b"Subject: large\n\n" + line * 20000
with tempfile.TemporaryFile(dir=top) as spool:
    spool.write(b"E" * 777 + large + b"log" * 100)
    spool.flush()
    r = ask(c, 7 << 40, ["example.org/large/Maildir", "example.org/2/Maildir"],
            fd=spool.fileno(), offset=777, size=len(large))
    t.same([x[2] for x in r], [250, 250], "a large message from its file")
    t.ok(content("example.org/large/Maildir") == TRACE + large and
         content("example.org/2/Maildir") == TRACE + large,
         "arrives whole in both mailboxes")
    t.ok(files("example.org/large/Maildir")[0].endswith(
        ",W=%d" % (len(TRACE + large) + 20004)), "and its W= is right",
        files("example.org/large/Maildir"))
    r = ask(c, 8 << 40, ["example.org/short/Maildir"], fd=spool.fileno(),
            offset=777, size=len(large) * 2)
    t.ok(r[0][2] == 451 and files("example.org/short/Maildir") == [] and
         files("example.org/short/Maildir", "tmp") == [],
         "a file shorter than said delivers nothing", r)

# Paths.
os.mkdir(os.path.join(root, "target"))
os.symlink(os.path.join(root, "target"), os.path.join(root, "link"))
r = ask(c, 9 << 40, ["link/Maildir"])
t.ok(r[0][2] == 451 and "link/Maildir" in r[0][4] and
     os.listdir(os.path.join(root, "target")) == [],
     "a symbolic link in the path is refused and named", r)
for bad in "../out/Maildir", "/etc/Maildir", "a/../../Maildir", "":
    r = ask(c, 10 << 40, [bad])
    t.ok(r[0][2] == 451, "no mailbox outside the root: '%s'" % bad, r)
os.makedirs(os.path.join(root, "file"))
with open(os.path.join(root, "file", "Maildir"), "w"):
    pass
r = ask(c, 11 << 40, ["file/Maildir"])
t.ok(r[0][2] == 451 and "file/Maildir" in r[0][4], "a file is no mailbox", r)
if os.getuid() != 0:
    os.makedirs(os.path.join(root, "locked"), 0o500)
    r = ask(c, 12 << 40, ["locked/Maildir"])
    t.ok(r[0][2:4] == (451, "4.3.0") and "locked/Maildir" in r[0][4],
         "missing permission says where", r)

# A mailbox that goes away, or becomes another, while it is held open.
shutil.rmtree(os.path.join(root, ANN))
r = ask(c, 13 << 40, [ANN])
t.ok(r[0][2] == 250 and len(files(ANN)) == 1,
     "a removed mailbox is made again", r)
os.unlink(os.path.join(root, ANN, "new", files(ANN)[0]))
os.rmdir(os.path.join(root, ANN, "tmp"))
r = ask(c, 14 << 40, [ANN])
t.ok(r[0][2] == 250 and len(files(ANN)) == 1, "so is a removed tmp/", r)

# A batch: what waits is taken together and answered together.
for i in range(100):
    send(c.peer, JOB, job((100 + i) << 40, ["many/%d/Maildir" % (i % 50)]))
got = []
while len(got) < 100:
    got += results(c)
t.ok(sorted(x[0] >> 40 for x in got) == list(range(100, 200)) and
     all(x[2] == 250 for x in got), "a hundred jobs, fifty mailboxes")
t.ok(all(len(files("many/%d/Maildir" % i)) == 2 for i in range(50)),
     "all are there")
r = ask(c, 300 << 40, ["wide/%d/Maildir" % i for i in range(100)])
t.ok(len(r) == 100 and all(x[2] == 250 for x in r),
     "a job for a hundred recipients")

t.same(c.end(), 0, "it ends when the queue closes the channel")

c = Child(DELIVER, root)
send(c.peer, JOB, b"garbage")
t.same(receive(c.peer)[0], None, "a malformed job ends it")
t.ok(c.process.wait(PATIENCE) != 0 and "malformed" in c.logged(),
     "with a line in the log", c.logged())

os.symlink("target", os.path.join(root, "near"))
os.symlink("/etc", os.path.join(root, "far"))
c = Child(DELIVER, root, user="ann")
r = ask(c, 20 << 40, ["near/Maildir"])
t.ok(r[0][2] == 250 and files("target/Maildir"),
     "a system account may have links in its home", r)
r = ask(c, 20 << 40, ["far/Maildir"])
t.ok(r[0][2] == 451, "but not out of it", r)
c.end()

c = Child(DELIVER, os.path.join(top, "no such home"))
r = ask(c, 21 << 40, [os.path.join(top, "no such home", "Maildir")])
t.ok(r and r[0][2] == 451 and "no such home/Maildir" in r[0][4],
     "a missing home is said, not died of", r)
c.end()

t.done()
