"""imapd: a client that only makes errors is slowed down, then sent away."""
import atexit
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import Tap  # noqa: E402
from imapd import Imap, scratch  # noqa: E402

t = Tap()
top = scratch()
atexit.register(shutil.rmtree, top, True)
s = Imap(top, new={})
begin = time.monotonic()
answers = [s.tagged("XYZZY") for _ in range(15)]
took = time.monotonic() - begin
t.same(set(answers), {b"BAD no such command"}, "fifteen errors are told")
t.ok(took > 5, "ever more slowly", took)
s.send(b"x XYZZY\r\n")
last = [s.response(), s.response()]
t.ok(last[0].startswith(b"x BAD") and last[1].startswith(b"* BYE"),
     "the next is the last", last)
t.ok(s.at_end(), "and the connection ends")
t.same(s.end(), 0, "in good order")
t.ok("why=errors" in s.child.logged(), "the log says why")
t.done()
