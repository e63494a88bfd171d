"""imapd is sent what almost is a command, three thousand times: it answers
each with its tag, grammatically, and lives. SEED repeats a run.
"""
import atexit
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import SAN, Tap  # noqa: E402
from imapd import Imap, scratch  # noqa: E402

SEED = int(os.environ.get("SEED", "1"))
N = 500 if SAN else 3000
GOOD = [
    'FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)',
    'FETCH 1,2:3,* (BODY.PEEK[1.2.MIME]<0.100> BODY.PEEK[2.HEADER.FIELDS.NOT '
    '(From "X \\"y\\"" To)] RFC822.PEEK)', 'UID FETCH 1:4294967295 FULL',
    'UID STORE 1:2 +FLAGS.SILENT (\\Seen $Junk \\Answered)',
    'STORE 1 -FLAGS \\Flagged', 'COPY 1:2 "a/b"', 'UID COPY 2 INBOX',
    'LIST (SUBSCRIBED RECURSIVEMATCH SPECIAL-USE) "" ("%" a/* "x y") RETURN '
    '(CHILDREN SUBSCRIBED STATUS (MESSAGES UIDNEXT))', 'LSUB "" %/%',
    'LIST "" ""', 'STATUS a/b (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)',
    'CREATE n&AOQ-/m (USE (\\Sent \\Trash))', 'DELETE n&AOQ-/m',
    'RENAME a/b a/c', 'RENAME a/c a/b', 'SUBSCRIBE a/b', 'UNSUBSCRIBE x',
    'ID ("name" "x" "os" NIL)', 'ENABLE A B-C', 'NAMESPACE', 'CAPABILITY',
    'UID EXPUNGE 77', 'SELECT INBOX', 'EXAMINE "INBOX"', 'UID SEARCH RETURN '
    '(MIN MAX COUNT ALL) CHARSET UTF-8 OR (NOT SEEN 1:*) SUBJECT "x" SINCE '
    '1-Feb-2020 LARGER 5 UID 1:*,2 HEADER X-Y ""', 'CHECK', 'NOOP',
]
ALPHABET = (b'()[]<>"\\%*&,:.$+- 019aZ{}~]\x01\x7f\x80\xff' b'NIL')

t = Tap()
top = scratch()
atexit.register(shutil.rmtree, top, True)
rng = random.Random(SEED)
print("# SEED=%d" % SEED)
LETTER = (b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
          b"one\n--b\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n--b--\n")


def mutated():
    line = bytearray(rng.choice(GOOD).encode())
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(line) + 1)
        what = rng.randrange(5)
        if what == 0:
            line[at:at + rng.randint(1, 9)] = b""
        elif what == 1:
            line[at:at] = bytes([rng.choice(ALPHABET)])
        elif what == 2:
            line[at:at + 1] = bytes([rng.choice(ALPHABET)])
        elif what == 3:
            line[at:at] = rng.choice(GOOD).encode()[rng.randrange(20):]
        else:
            line[at:at] = bytes(line[at:at + 20]) * rng.randint(1, 30)
    text = bytes(line).replace(b"\r", b"").replace(b"\n", b"")
    # No literal: the end of the command is known then.
    return text[:-1] + b"x" if text.endswith(b"}") else text


s = Imap(top, new={"%d.m%d.host" % (i, i): LETTER for i in range(3)})
s.cmd("CREATE a/b")
counts = {}
wrong = None
for i in range(N):
    text = mutated()
    try:
        tagged = s.tagged(text)
        # Errors are counted; what is good makes up for them.
        alive = s.tagged("NOOP") == b"OK done" == s.tagged("SELECT INBOX")[
            :2] + b" done"
    except Exception as e:
        tagged, alive = repr(e).encode(), False
    word = tagged.split(b" ")[0].decode("latin-1")
    counts[word] = counts.get(word, 0) + 1
    if not alive:
        wrong = (i, text, tagged)
        break
t.same(wrong, None, "%d almost-commands" % N)
print("# %s" % counts)
t.ok(counts.get("OK", 0) > N // 20 and counts.get("BAD", 0) > N // 5,
     "some were good, some were bad", counts)
t.same(s.end(), 0, "the session ends in good order")
if wrong:
    print("# " + s.child.logged()[-2000:].replace("\n", "\n# "))
t.done()
