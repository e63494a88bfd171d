"""imapd, a user who means ill, and a Maildir in which somebody has been: an
index of nonsense, links, pipes. The session answers, or ends with a word; it
never crashes, never waits without end, never leaves the Maildir.
"""
import atexit
import os
import shutil
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import Tap  # noqa: E402
from imapd import Imap, scratch  # noqa: E402

t = Tap()
top = scratch()
atexit.register(shutil.rmtree, top, True)
A = b"From: Ann <ann@x.org>\nTo: bob@y.org\nSubject: a\n\nline one\n"


def alive(s, what):
    t.same(s.tagged("NOOP"), b"OK done", what)


# --- names of header fields that are quoted strings within literals

s = Imap(top, new={"1.a.h": A})
s.cmd("SELECT INBOX")
for name in (b'"\\"', b'"x\\y"', b'"', b'\\', b'"to"', b"{1}", b"(", b"NIL"):
    un, tagged = s.cmd(b"FETCH 1 BODY.PEEK[HEADER.FIELDS ({%d+}\r\n%s to)]"
                       % (len(name), name))
    t.ok(len(un) == 1 and tagged == b"OK done" and
         un[0].endswith(b"To: bob@y.org\r\n\r\n)"),
         "a field called " + name.decode(), (un, tagged))
alive(s, "and goes on")
s.end()

# --- an index that says what it should not, with every checksum right


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


KEYWORD, FLAGS, UIDNEXT = 4, 2, 9


def forge(log, *records):
    """Appends (type, uidnext, modseq, payload) to a log: mailbox_log.c."""
    with open(log, "r+b") as f:
        whole = f.read()
        ident = whole[8:16]
        for kind, uidnext, modseq, payload in records:
            body = struct.pack(">BIQ", kind, uidnext, modseq) + payload
            crc = crc32c(body, crc32c(ident + struct.pack(">Q", len(whole))))
            whole += struct.pack(">II", len(body), crc) + body
        f.seek(0)
        f.write(whole)


def forged(*records, **files):
    """A session of a Maildir whose log was tampered with."""
    s = Imap(top, **(files or {"new": {"1.a.h": A}}))
    s.cmd("SELECT INBOX")
    s.cmd("STORE 1 +FLAGS (good)")
    s.tagged("LOGOUT")
    s.end()
    forge(s.path("postern.log"), *records)
    again = Imap(top, root=s.root)
    t.same(again.tagged("SELECT INBOX"), b"OK [READ-WRITE] open",
           "a forged log opens")
    return again


NAMES = (b"a b", b"x\r\n* BYE gotcha", b"(", b"\\Seen\\", b"a*", b"%", b"\xff",
         b'"q', b"x]")
s = forged(*[(KEYWORD, 0, 9, b"%c" % (i + 1) + name)
             for i, name in enumerate(NAMES)] +
           [(FLAGS, 0, 9, struct.pack(">HHQQII", 0, 0, 0, 2**64 - 1, 1, 1))])
un, tagged = s.cmd("FETCH 1 FLAGS")
t.ok(tagged == b"OK done" and b"good" in un[0] and b"BYE" not in un[0],
     "keywords that are no atoms are not told", (un, tagged))
s.cmd("STORE 1 +FLAGS (better)")
un, tagged = s.cmd("FETCH 1 FLAGS")
t.ok(b"better" in un[0], "and others are made", un)
s.end()


s = forged((UIDNEXT, 2**32 - 1, 9, b""))
t.ok(s.tagged("COPY 1 INBOX").startswith(b"NO"), "no UID is left: COPY")
t.ok(s.append(A)[1].startswith(b"NO"), "APPEND")
with open(s.path("new/2.b.h"), "wb") as f:
    f.write(A)
alive(s, "and a delivery")
t.ok(len(s.files()) == 2, "nothing was lost or made", s.files())
s.end()

LONG = "1." + "x" * 246  # and ":2,DFRST" is one byte too many
s = forged((FLAGS, 0, 9, struct.pack(">HHQQII", 0, 31, 0, 0, 1, 1)),
           new={LONG: A})
with open(s.path("postern.log"), "ab") as f:
    f.write(b"damaged, so that it is written anew")
t.same(s.tagged("STORE 1 +FLAGS (better)"), b"OK done",
       "a name that got too long in the log")
again = Imap(top, root=s.root)
again.cmd("SELECT INBOX")
t.ok(b"UID 1 " in again.untagged("FETCH 1 (UID FLAGS BODY.PEEK[])")[0],
     "keeps its UID")
again.end()
s.end()

# --- an index that cannot be read

s = Imap(top, new={"1.a.h": A})
s.cmd("SELECT INBOX")
tag = s.start("IDLE")
s.response()
os.unlink(s.path("postern.log"))
os.mkdir(s.path("postern.log"))
with open(s.path("new/2.b.h"), "wb") as f:
    f.write(A)
deadline = time.monotonic() + 2  # whatever it does then, it does not spin
while time.monotonic() < deadline:
    time.sleep(0.1)
s.send(b"DONE\r\n")
t.same(s.finish(tag)[1], b"OK done", "IDLE on a folder with a broken index")
s.tagged("LOGOUT")
s.end()
told = s.child.logged()
t.ok(0 < told.count("cannot look") < 50, "says so now and then",
     told.count("cannot look"))

# --- a pipe where a file should be

s = Imap(top)
os.mkdir(s.path(".pipe"))
os.mkfifo(s.path(".pipe/maildirfolder"))
for name in ("subscriptions", "postern.validity", "postern.map",
             "postern.cache"):
    os.mkfifo(s.path(name))
os.mkfifo(s.path("cur/3.c.h:2,"))
os.mkfifo(s.path("new/4.d.h"))
t.ok(s.tagged("CREATE pipe").startswith(b"NO"), "CREATE where there is a pipe")
s.cmd("SELECT INBOX")
s.cmd("LIST \"\" *")
s.cmd("STATUS INBOX (MESSAGES)")
alive(s, "pipes are not waited for")
s.end()

# --- patterns for LIST

s = Imap(top)
for n in range(300):
    os.makedirs(s.path(".%s%03d/cur" % ("a" * 200, n)))
wild = b"*%" * 100000  # a walk for each would take minutes
for pattern, names in ((wild, 301), (wild + b"9", 30), (b"x" + wild, 0),
                       (b"%" * 200000 + b"*" + b"%" * 50000, 301)):
    un, tagged = s.cmd(b'LIST "" {%d+}\r\n%s' % (len(pattern), pattern))
    t.same((len(un), tagged), (names, b"OK done"), "LIST %d wildcards"
           % len(pattern))
for pattern, names in (b"%*%", 301), (b"a%%%", 300), (b"%a*9", 30):
    t.same(len(s.untagged(b'LIST "" ' + pattern)), names, pattern.decode())
t.ok(s.tagged(b'LIST "%s" (%s)' % (b"x" * 60000, b" ".join([b"*"] * 256)))
     .startswith(b"NO [LIMIT]"), "patterns with a reference that is too long")
alive(s, "and goes on")
s.end()

# --- a message larger than memory

s = Imap(top, new={"1.a.h": A})
os.truncate(s.path("new/1.a.h"), 1000 * 1024 * 1024)
with open(s.path("new/2.b.h"), "wb") as f:
    f.write(A)
s.cmd("SELECT INBOX")
un, tagged = s.cmd("FETCH 1:2 (RFC822.SIZE ENVELOPE)")
t.ok(len(un) == 1 and un[0].startswith(b"* 2 FETCH") and
     tagged.startswith(b"NO"), "a message of 1000 MiB has no envelope",
     (un, tagged))
un, tagged = s.cmd("FETCH 1 BODY.PEEK[]<4294967295.4294967295>")
t.ok(tagged == b"OK done" and un[0].endswith(b"BODY[]<4294967295> {0}\r\n)"),
     "and nothing stands behind its end", (un, tagged))
alive(s, "and goes on")
s.end()

t.done()
