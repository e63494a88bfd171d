"""A SEARCH that would take minutes: it steps back, ends in time, and at once
when nobody waits for it."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import imapd
from child import Tap

KEYS = 1500
t = Tap()
top = imapd.scratch()
letter = b"Subject: long\n\n" + b"all work and no play, all day long. \n" * 10**6
# Each would be found at its last byte only.
search = "SEARCH " + "OR BODY zz " * (KEYS - 1) + "BODY zz"


def session(seconds):
    c = imapd.Imap(top, cur={"1.a:2,": letter}, conf="imap-folders = none\n"
                   "imap-search-time = %s\n" % seconds)
    t.ok(c.tagged("SELECT INBOX").startswith(b"OK"), "a folder")
    return c


def priority(c):
    """Of the process: nice(1)'s number."""
    with open("/proc/%d/stat" % c.child.process.pid) as f:
        return int(f.read().rsplit(")", 1)[1].split()[16])


c = session("3s")
before = priority(c) if sys.platform == "linux" else 0
tagged = c.tagged(search)
t.ok(tagged.startswith(b"NO [LIMIT] "), "what takes too long is refused",
     tagged)
t.ok(sys.platform != "linux" or priority(c) >= before + 1 or before == 19,
     "others' work goes first")
t.ok(c.untagged("SEARCH SUBJECT long") == [b"* SEARCH 1"] and
     c.tagged("NOOP").startswith(b"OK"), "the session goes on")
c.cmd("LOGOUT")
t.same(c.end(), 0, "it ends well")

c = session("0")
c.start(search)
t.same(c.end(), 0, "nobody waits: it ends")
shutil.rmtree(top)
t.done()
