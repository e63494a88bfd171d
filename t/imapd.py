"""imapd: one IMAP session over a socket pair, without master; for tests.

What the server says must be grammatical (t/imap.py), but is handed out as
bytes: these tests ask what was said, to the letter.
"""
import os
import re
import tempfile

from child import CONF, Child, PATIENCE
from imap import Cursor
from wire import IMAPD

count = 0
LITERAL = re.compile(rb"~?\{(\d+)\}\r\n$")


def strict(response):
    """Raises Bad if it is not of RFC 3501 9."""
    c = Cursor(response + b"\r\n")
    c.eat(b"* ")
    c.untagged()
    c.end()


BARE = "imap-folders = none\n"  # but for what a test makes


class Imap:
    """What a client sees. new, cur: {name: bytes} of the Maildir."""

    def __init__(self, top, new=None, cur=None, given=b"", conf="", **kw):
        global count
        count += 1
        self.root = kw.pop("root", os.path.join(top, "r%d" % count))
        self.mailbox = os.path.join(self.root, "example.org/ann/Maildir")
        for sub, files in ("new", new), ("cur", cur), ("tmp", None):
            where = os.path.join(self.mailbox, sub)
            os.makedirs(where, exist_ok=True)
            for name, data in (files or {}).items():
                with open(os.path.join(where, name), "wb") as f:
                    f.write(data)
        self.child = Child(IMAPD, self.root, kw.pop("mailbox", self.mailbox),
                           given=given, conf=CONF + (conf or BARE),
                           tag=kw.pop("tag", "l1"), **kw)
        self.sock = self.child.peer
        self.sock.settimeout(PATIENCE)
        self.file = self.sock.makefile("rb")
        self.number = 0
        self.greeting = self.response()

    def response(self):
        """A whole response, with its literals, without the last CR LF."""
        whole = b""
        while True:
            line = self.file.readline()
            if not line:
                return whole or b"(end)"
            whole += line
            m = LITERAL.search(line)
            if m is None:
                assert whole.endswith(b"\r\n"), whole
                return whole[:-2]
            whole += self.file.read(int(m.group(1)))

    def send(self, data):
        self.sock.sendall(data)

    def start(self, text):
        self.number += 1
        tag = b"a%d" % self.number
        self.send(tag + b" " + (text if isinstance(text, bytes)
                                else text.encode("latin-1")) + b"\r\n")
        return tag

    def finish(self, tag):
        """(untagged responses, tagged one without the tag)."""
        untagged = []
        while True:
            r = self.response()
            if r == b"(end)":
                return untagged, r
            if r.startswith(tag + b" "):
                return untagged, r[len(tag) + 1:]
            strict(r)
            untagged.append(r)

    def cmd(self, text):
        return self.finish(self.start(text))

    def tagged(self, text):
        return self.cmd(text)[1]

    def untagged(self, text):
        return self.cmd(text)[0]

    def append(self, message, folder="INBOX", args=""):
        """APPEND with a literal that waits."""
        tag = self.start("APPEND %s %s{%d}" % (folder, args, len(message)))
        r = self.response()
        if not r.startswith(b"+ "):
            return [], r[len(tag) + 1:]
        self.send(message + b"\r\n")
        return self.finish(tag)

    def path(self, name):
        return os.path.join(self.mailbox, name)

    def files(self, folder=""):
        top = os.path.join(self.mailbox, folder)
        return sorted(os.path.join(s, n) for s in ("cur", "new")
                      for n in os.listdir(os.path.join(top, s)))

    def at_end(self):
        return self.file.read(1) == b""

    def end(self):
        self.file.close()
        return self.child.end()


def literal(response, after):
    """The literal that follows `after` in a response, or None."""
    at = response.find(after + b" {")
    if at == -1:
        return None
    m = re.match(rb"\{(\d+)\}\r\n", response[at + len(after) + 1:])
    begin = at + len(after) + 1 + m.end()
    return response[begin:begin + int(m.group(1))]


def scratch():
    return tempfile.mkdtemp(prefix="postern-imapd.")
