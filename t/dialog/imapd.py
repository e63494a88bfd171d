"""imapd, sessions over socket pairs, without master: what is said to the
letter, literals, sections, limits, the end. What several sessions do to each
other at random is t/e2e/imap-model.py's.
"""
import atexit
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import PATIENCE, SAN, Tap  # noqa: E402
from imapd import Imap, literal, scratch, strict  # noqa: E402

t = Tap()
top = scratch()
atexit.register(shutil.rmtree, top, True)


def wire(data):
    """As FETCH sends it: each bare LF is CR LF."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


A = (b"From: Ann <ann@x.org>\nTo: bob@y.org\nSubject: a\n"
     b"Date: Sat, 21 Nov 2026 10:00:00 +0000\n\nline one\nline two\n")
B = b"Subject: b\nX-Long: one\n two\n\tthree\nsubject: again\n\nx\n"
INNER = (b"Subject: inner\nContent-Type: multipart/mixed; boundary=in\n\n"
         b"--in\n\ndeep one\n--in\nContent-Type: text/html\n\n<p>\n--in--\n")
M = (b"Subject: m\nMIME-Version: 1.0\n"
     b"Content-Type: multipart/mixed; boundary=\"out\"\n\nprologue\n"
     b"--out\nContent-Type: text/plain; charset=utf-8\n\nfirst\n"
     b"--out\nContent-Type: message/rfc822\nContent-Description: letter\n\n" +
     INNER + b"--out--\nepilogue\n")
ALL = {"1000.a.host": A, "1001.b.host": B, "1002.m.host": M}

# --- the greeting, and commands of any state

s = Imap(top, new=ALL)
t.ok(s.greeting.startswith(b"l1 OK [CAPABILITY IMAP4rev1 "),
     "the login is answered with its tag", s.greeting)
capa = s.untagged("CAPABILITY")
t.ok(len(capa) == 1 and set(b"LITERAL+ IDLE UIDPLUS NAMESPACE ID UNSELECT "
     b"CHILDREN SPECIAL-USE MOVE ESEARCH ENABLE".split()) <=
     set(capa[0].split()), "CAPABILITY", capa)
t.same(s.cmd("NOOP"), ([], b"OK done"), "NOOP")
t.same(s.cmd("NAMESPACE"), ([b'* NAMESPACE (("" "/")) NIL NIL'], b"OK done"),
       "NAMESPACE")
for text in ("ID NIL", 'ID ("name" "x" "version" NIL)', "ID ()"):
    t.same(s.cmd(text), ([b'* ID ("name" "Postern")'], b"OK done"), text)
t.same(s.cmd("ENABLE CONDSTORE X-Y"), ([b"* ENABLED"], b"OK done"),
       "ENABLE enables what there is to enable")
for text in ("LOGIN ann secret", "AUTHENTICATE PLAIN", "STARTTLS"):
    t.ok(s.tagged(text).startswith(b"BAD "), "not twice: " + text)
for text in ("FETCH 1 FLAGS", "CLOSE", "EXPUNGE", "SEARCH ALL",
             "UID FETCH 1 FLAGS", "STORE 1 FLAGS ()", "COPY 1 x", "CHECK"):
    t.ok(s.tagged(text).startswith(b"BAD SELECT"), "not yet: " + text)
    s.cmd("NOOP")

# --- SELECT, EXAMINE

un, tagged = s.cmd("EXAMINE inbox")
t.same(tagged, b"OK [READ-ONLY] open", "EXAMINE, INBOX in any case")
t.ok(b"* OK [PERMANENTFLAGS ()] nothing can be changed" in un and
     b"* 3 EXISTS" in un and b"* 3 RECENT" in un and
     b"* OK [UNSEEN 1] first unseen message" in un, "what it says", un)
t.ok(s.tagged("STORE 1 FLAGS ()").startswith(b"NO"), "nothing is stored")
t.ok(s.tagged("EXPUNGE").startswith(b"NO"), "nor expunged")
s.cmd("FETCH 1 BODY[]")
t.ok(b"\\Seen" not in s.untagged("FETCH 1 FLAGS")[0], "nor seen")
t.same([f[:3] for f in s.files()], ["new"] * 3, "files stay where they are")
un, tagged = s.cmd('SELECT "INBOX"')
t.same(tagged, b"OK [READ-WRITE] open", "SELECT")
t.ok(b"* 3 RECENT" in un, "what EXAMINE saw as recent still is", un)
t.ok(s.tagged("SELECT nowhere").startswith(b"NO [NONEXISTENT]"),
     "SELECT of nothing")
t.ok(s.tagged("CHECK").startswith(b"BAD"), "leaves nothing selected")
s.cmd("SELECT INBOX")

# --- FETCH

t.same(s.untagged("FETCH 1 (UID FLAGS)"), [b"* 1 FETCH (UID 1 FLAGS ())"],
       "FETCH of items, in the order asked for")
un = s.untagged("FETCH 1:2 FAST")
t.ok(len(un) == 2 and b"RFC822.SIZE %d)" % len(wire(A)) in un[0],
     "FAST", un)
t.ok(b"ENVELOPE (" in s.untagged("FETCH 1 ALL")[0], "ALL")
t.ok(b"BODY (" in s.untagged("FETCH 1 FULL")[0], "FULL")
un = s.untagged("FETCH 3 (BODY BODYSTRUCTURE)")
t.ok(b"\"mixed\"" in un[0] and b"\"inner\"" in un[0], "BODYSTRUCTURE", un)
t.same(literal(s.untagged("FETCH 2 BODY.PEEK[]")[0], b"BODY[]"), wire(B),
       "BODY.PEEK[]")
t.ok(b"\\Seen" not in s.untagged("FETCH 2 FLAGS")[0], "sets no \\Seen")
un = s.untagged("FETCH 2 BODY[]")
t.ok(un[0].endswith(b" FLAGS (\\Seen))"), "BODY[] does, and says so", un)
t.ok(any(f.startswith("cur/1001.b.host:2,S") for f in s.files()),
     "and it is in the file's name", s.files())

head, text = wire(B).split(b"\r\n\r\n", 1)
sections = [
    (2, "RFC822", b"RFC822", wire(B)),
    (2, "RFC822.HEADER", b"RFC822.HEADER", head + b"\r\n\r\n"),
    (2, "RFC822.TEXT", b"RFC822.TEXT", text),
    (2, "RFC822.PEEK", b"RFC822", wire(B)),
    (2, "BODY[HEADER]", b"BODY[HEADER]", head + b"\r\n\r\n"),
    (2, "BODY[TEXT]", b"BODY[TEXT]", text),
    (2, "BODY[1]", b"BODY[1]", text),
    (2, "body.peek[header.fields (SUBJECT x-nix)]",
     b"BODY[HEADER.FIELDS (SUBJECT x-nix)]",
     b"Subject: b\r\nsubject: again\r\n\r\n"),
    (2, "BODY[HEADER.FIELDS (X-Long)]", b"BODY[HEADER.FIELDS (X-Long)]",
     b"X-Long: one\r\n two\r\n\tthree\r\n\r\n"),
    (2, "BODY[HEADER.FIELDS.NOT (subject)]",
     b"BODY[HEADER.FIELDS.NOT (subject)]",
     b"X-Long: one\r\n two\r\n\tthree\r\n\r\n"),
    (2, "BODY[HEADER.FIELDS (Nix)]", b"BODY[HEADER.FIELDS (Nix)]", b"\r\n"),
    (2, 'BODY[HEADER.FIELDS ("subject" "a(b")]',
     b'BODY[HEADER.FIELDS (subject "a(b")]',
     b"Subject: b\r\nsubject: again\r\n\r\n"),
    (3, "BODY[1]", b"BODY[1]", b"first"),
    (3, "BODY[1.MIME]", b"BODY[1.MIME]",
     b"Content-Type: text/plain; charset=utf-8\r\n\r\n"),
    (3, "BODY[2]", b"BODY[2]", wire(INNER)[:-2]),
    (3, "BODY[2.MIME]", b"BODY[2.MIME]",
     b"Content-Type: message/rfc822\r\nContent-Description: letter\r\n\r\n"),
    (3, "BODY[2.HEADER]", b"BODY[2.HEADER]",
     wire(INNER.split(b"\n\n", 1)[0]) + b"\r\n\r\n"),
    (3, "BODY[2.TEXT]", b"BODY[2.TEXT]",
     wire(INNER.split(b"\n\n", 1)[1])[:-2]),
    (3, "BODY[2.HEADER.FIELDS (subject)]", b"BODY[2.HEADER.FIELDS (subject)]",
     b"Subject: inner\r\n\r\n"),
    (3, "BODY[2.1]", b"BODY[2.1]", b"deep one"),
    (3, "BODY[2.2.MIME]", b"BODY[2.2.MIME]",
     b"Content-Type: text/html\r\n\r\n"),
    (3, "BODY[]<0.10>", b"BODY[]<0>", wire(M)[:10]),
    (3, "BODY[]<10.20>", b"BODY[]<10>", wire(M)[10:30]),
    (3, "BODY[TEXT]<3.4294967295>", b"BODY[TEXT]<3>",
     wire(M).split(b"\r\n\r\n", 1)[1][3:]),
    (3, "BODY[]<%d.10>" % (len(wire(M)) - 3),
     b"BODY[]<%d>" % (len(wire(M)) - 3), wire(M)[-3:]),
    (3, "BODY[]<%d.10>" % len(wire(M)), b"BODY[]<%d>" % len(wire(M)), None),
    (3, "BODY[]<4294967295.10>", b"BODY[]<4294967295>", None),
    (2, "BODY[HEADER.FIELDS (subject)]<8.3>",
     b"BODY[HEADER.FIELDS (subject)]<8>", b" b\r"),
]
for seq, item, label, want in sections:
    un, tagged = s.cmd("FETCH %d %s" % (seq, item))
    if want is None:
        t.ok(label + b" {0}\r\n" in un[0] or label + b' ""' in un[0],
             item + ": empty past the end", un)
    else:
        t.same(literal(un[0], label), want, "FETCH %d %s" % (seq, item))
for item in ("BODY[2]", "BODY[1.1]", "BODY[1.TEXT]", "BODY[1.HEADER]",
             "BODY[4294967295]"):
    t.ok(b" NIL)" in s.untagged("FETCH 2 BODY.PEEK" + item[4:])[0],
         "no such part: " + item)
for k in range(0, len(wire(M)) + 2, 7):
    got = literal(s.untagged("FETCH 3 BODY.PEEK[]<%d.7>" % k)[0],
                  b"BODY[]<%d>" % k) or b""
    if got != wire(M)[k:k + 7]:
        t.same(got, wire(M)[k:k + 7], "piece at %d" % k)
        break
else:
    t.ok(True, "a message fetched in small pieces is whole")
un = s.untagged("UID FETCH 1:* FLAGS")
t.same([u.split(b"(")[1][:6] for u in un], [b"UID 1 ", b"UID 2 ", b"UID 3 "],
       "UID FETCH tells UIDs")
t.same(len(s.untagged("UID FETCH 999:* UID")), 1,
       "999:* is the last one, too")
t.same(s.cmd("UID FETCH 999 UID"), ([], b"OK done"),
       "a UID that is not there is no error")
t.ok(s.tagged("FETCH 4 UID").startswith(b"BAD no such message"),
     "a number that is not there is one")
t.ok(s.tagged("FETCH 4294967297 UID").startswith(b"BAD"),
     "2^32 + 1 is not 1")
t.same(len(s.untagged("FETCH 3,1:2,2 UID")), 3, "each once, in order")

# --- grammar: all of these are BAD, and the session lives

bad = ["", " ", "NOOP ", "NOOP x", "XYZZY", "FETCH", "FETCH 1", "FETCH 1 ",
       "FETCH  1 UID", "FETCH 1  UID", "FETCH 1 UID ", "FETCH 1 (UID",
       "FETCH 1 UID)", "FETCH 1 ()", "FETCH 1 (UID  FLAGS)", "FETCH 0 UID",
       "FETCH 1: UID", "FETCH :1 UID", "FETCH 1,,2 UID", "FETCH a UID",
       "FETCH $ UID", "FETCH 1 (ALL UID)", "FETCH 1 ALL UID", "FETCH 1 BODY[",
       "FETCH 1 BODY[X]", "FETCH 1 BODY[MIME]", "FETCH 1 BODY[1.]",
       "FETCH 1 BODY[.1]", "FETCH 1 BODY[0]", "FETCH 1 BODY[1.0]",
       "FETCH 1 BODY[]<1>", "FETCH 1 BODY[]<1.0>", "FETCH 1 BODY[]<.1>",
       "FETCH 1 BODY[]<1.4294967296>", "FETCH 1 BODY[HEADER.FIELDS]",
       "FETCH 1 BODY[HEADER.FIELDS ()]", "FETCH 1 BODY[HEADER.FIELDS (a]",
       'FETCH 1 BODY[HEADER.FIELDS ("a b")]', "FETCH 1 BODY.NIX[]",
       "FETCH 1 ENVELOPE.X", "FETCH 1 BODY[" + "1." * 200 + "1]",
       "STORE 1", "STORE 1 FLAGS", "STORE 1 FLAGS (", "STORE 1 FLAGS (\\Seen",
       "STORE 1 FLAGS (\\Recent)", "STORE 1 FLAGS (\\Foo)",
       "STORE 1 FLAGS (a  b)", "STORE 1 FLAGZ (a)", "STORE 1 FLAGS.LOUD a",
       "STORE 1 *FLAGS (a)", "STORE 1 FLAGS (a]b)", "COPY 1", "COPY 1 ",
       "COPY 1 a b", "COPY x a", "MOVE 1", "UID", "UID XYZZY", "UID NOOP",
       "UID FETCH 1", "UID EXPUNGE", "UID EXPUNGE x", "EXPUNGE 1",
       "SELECT", "SELECT ", "SELECT a b", 'SELECT "a', "SELECT (a)",
       "SELECT a%", "CREATE", "CREATE a b", "CREATE a (USE)",
       "CREATE a (USE (\\Sent)", "DELETE", "DELETE a b", "RENAME a",
       "RENAME a b c", "SUBSCRIBE", "SUBSCRIBE a b", "LIST", 'LIST ""',
       'LIST "" * x', 'LIST "" (', 'LIST "" (a', 'LIST "" * RETURN',
       'LIST "" * RETURN (NIX)', 'LIST (NIX) "" *',
       'LIST (RECURSIVEMATCH) "" *', "LSUB a", 'LSUB (SUBSCRIBED) "" *',
       "STATUS INBOX", "STATUS INBOX ()", "STATUS INBOX (NIX)",
       "STATUS INBOX (MESSAGES", "STATUS INBOX MESSAGES", "APPEND",
       "APPEND INBOX", "APPEND INBOX x", 'APPEND INBOX "x"',
       "APPEND INBOX (\\Seen)", "ID", "ID x", "ID (a b)", 'ID ("a")',
       "ENABLE", "ENABLE (a)", "NAMESPACE x", "IDLE x", "CAPABILITY x",
       "LOGOUT x", "SELECT \xe4", "CHECK x", "CLOSE x", "UNSELECT x"]
for text in bad:
    un, tagged = s.cmd(text)
    if not tagged.startswith(b"BAD ") or un:
        t.ok(False, "BAD: %r" % text, (un, tagged))
    for _ in range(2):
        s.cmd("NOOP")  # errors are counted
t.ok(s.tagged("NOOP") == b"OK done", "%d commands that are none" % len(bad))
for line in (b"", b"\r\n", b"nothing\r\n"):
    s.send(line)
t.ok(s.response().startswith(b"nothing BAD"), "a tag alone")
s.send(b"* NOOP\r\n+ NOOP\r\n(a NOOP\r\na+b NOOP\r\n")
t.ok(all(s.response().startswith(b"* BAD") for _ in range(4)),
     "no tag at all: untagged BAD")
s.send(b"t" * 64 + b" NOOP\r\n" + b"t" * 65 + b" NOOP\r\n")
t.same(s.response(), b"t" * 64 + b" OK done", "the longest tag")
t.ok(s.response().startswith(b"* BAD"), "one longer")
for _ in range(9):
    s.cmd("NOOP")

# --- STORE

t.same(s.cmd("STORE 1 +FLAGS (\\Flagged)"),
       ([b"* 1 FETCH (FLAGS (\\Flagged))"], b"OK done"), "STORE +FLAGS")
t.same(s.cmd("STORE 1 +FLAGS.SILENT \\Seen \\Draft"), ([], b"OK done"),
       ".SILENT, without parentheses")
t.same(s.cmd("UID STORE 1 -FLAGS (\\draft)"),
       ([b"* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))"], b"OK done"),
       "UID STORE -FLAGS, in any case")
un = s.untagged("STORE 1 FLAGS ($Junk todo)")
t.ok(un[0] == b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
     b"$Junk todo)" and un[-1] == b"* 1 FETCH (FLAGS ($Junk todo))",
     "new keywords are announced before they are used", un)
t.same(s.cmd("STORE 1 FLAGS ()"), ([b"* 1 FETCH (FLAGS ())"], b"OK done"),
       "FLAGS () takes all away")
t.ok(s.tagged("STORE 1 +FLAGS (%s)" % ("k" * 101)).startswith(
     b"NO [LIMIT]"), "a keyword too long")
answers = {s.tagged("STORE 1 +FLAGS.SILENT (k%d)" % i)[:10]
           for i in range(70)}
t.same(answers, {b"OK done", b"NO [LIMIT]"}, "keywords run out with NO")
s.cmd("STORE 1 FLAGS.SILENT ()")

# --- folders

t.same(s.tagged("CREATE a/b"), b"OK done", "CREATE, parents too")
t.ok(s.tagged("CREATE a/b").startswith(b"NO [ALREADYEXISTS]"), "not twice")
t.ok(s.tagged("CREATE inbox").startswith(b"NO [ALREADYEXISTS]"), "nor INBOX")
t.same(s.tagged("CREATE c/"), b"OK done", "a separator at the end is none")
t.same(s.tagged('CREATE "&AOQ-"'), b"OK done", "modified UTF-7")
for name in ('"&"', "&AOQ", '"/a"', '"a//b"', "&ABk-", '""'):
    t.ok(s.tagged("CREATE " + name).startswith((b"NO [CANNOT]", b"BAD")),
         "no name: " + name)
t.same(sorted(s.untagged('LIST "" *')),
       [b'* LIST (\\HasChildren) "/" a', b'* LIST (\\HasNoChildren) "/" '
        b'&AOQ-', b'* LIST (\\HasNoChildren) "/" INBOX',
        b'* LIST (\\HasNoChildren) "/" a/b',
        b'* LIST (\\HasNoChildren) "/" c'], "LIST *")
t.same(len(s.untagged('LIST "" %')), 4, "LIST %")
t.same(s.untagged('LIST a/ %'), [b'* LIST (\\HasNoChildren) "/" a/b'],
       "LIST with a reference")
t.same(s.untagged('LIST "" ""'), [b'* LIST (\\Noselect) "/" ""'],
       "LIST of the separator")
t.same(len(s.untagged('LIST "" (a/* inbox)')), 2, "several patterns")
s.cmd("CREATE Gone (USE (\\Trash))")
t.same(s.untagged('LIST (SPECIAL-USE) "" *'),
       [b'* LIST (\\HasNoChildren \\Trash) "/" Gone'], "SPECIAL-USE")
t.ok(s.tagged("CREATE Nix (USE (\\Nix))").startswith(b"NO [USEATTR]"),
     "no such use")
s.cmd("SUBSCRIBE a/b")
t.same(s.untagged('LSUB "" *'), [b'* LSUB () "/" a/b'], "LSUB")
t.same(s.untagged('LSUB "" %'), [b'* LSUB (\\Noselect) "/" a'], "LSUB %")
t.same(s.untagged('LIST (SUBSCRIBED) "" * RETURN (CHILDREN)'),
       [b'* LIST (\\Subscribed \\HasNoChildren) "/" a/b'],
       "LIST (SUBSCRIBED)")
t.same(s.untagged('LIST (SUBSCRIBED RECURSIVEMATCH) "" %'),
       [b'* LIST (\\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))'],
       "RECURSIVEMATCH")
un = s.untagged('LIST "" % RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))')
t.ok(b"* STATUS INBOX (MESSAGES 3 UNSEEN 1)" in un, "LIST-STATUS", un)
s.cmd("UNSUBSCRIBE a/b")
t.same(s.untagged('LSUB "" *'), [], "UNSUBSCRIBE")
t.same(s.tagged("RENAME a d"), b"OK done", "RENAME")
t.same(s.untagged('LIST "" d*'), [b'* LIST (\\HasChildren) "/" d',
       b'* LIST (\\HasNoChildren) "/" d/b'], "takes the children along")
t.ok(s.tagged("RENAME a e").startswith(b"NO [NONEXISTENT]"), "not twice")
t.ok(s.tagged("DELETE INBOX").startswith(b"NO [CANNOT]"), "INBOX stays")
t.ok(s.tagged("DELETE nix").startswith(b"NO [NONEXISTENT]"), "DELETE nix")
t.same(s.tagged("STATUS d/b (MESSAGES RECENT UIDNEXT UNSEEN)"), b"OK done",
       "STATUS")

# --- APPEND, COPY, MOVE, EXPUNGE

un, tagged = s.append(wire(A), "d/b", '(\\Seen todo) " 1-Feb-2003 04:05:06 '
                      '+0100" ')
t.ok(re.fullmatch(rb"OK \[APPENDUID \d+ 1\] done", tagged), "APPEND", tagged)
s.cmd("SELECT d/b")
t.same(s.untagged("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)"),
       [b'* 1 FETCH (FLAGS (\\Seen \\Recent todo) INTERNALDATE " 1-Feb-2003 '
        b'03:05:06 +0000" RFC822.SIZE %d)' % len(wire(A))],
       "with its flags and date, and \\Recent for who selects")
name = s.files(".d.b")[0]
with open(s.path(".d.b/" + name), "rb") as f:
    t.same(f.read(), A, "stored with LF")
odd = [b"a: b\r\n\r\n\rx\r\r\ny\r\r\r\nz", b"x", b"\r\n", b"\r", b"\n",
       b"a\r\r\n\r\n\r\r\n", b"y" * 70000 + b"\r\n" + b"\r" * 70000 + b"\r\n"]
for i, message in enumerate(odd):
    un, tagged = s.append(message, "d/b")
    t.ok(tagged.startswith(b"OK [APPENDUID") and
         b"* %d EXISTS" % (i + 2) in un, "an odd message, announced", tagged)
    got = s.untagged("FETCH %d BODY.PEEK[]" % (i + 2))
    want = wire(message)
    t.ok(literal(got[0], b"BODY[]") == want,
         "comes back as it went in", (got[0][:200], want[:200]))
t.ok(s.append(b"a\0b", "d/b")[1].startswith(b"NO"), "no NUL")
t.ok(s.append(b"x", "nix")[1].startswith(b"NO [TRYCREATE]"),
     "no folder: before the +")
t.ok(s.append(b"x", "d/b", "(\\Foo) ")[1].startswith(b"BAD"), "a bad flag")
t.ok(s.append(b"x", "d/b", '"1-Feb-2003" ')[1].startswith(b"BAD"),
     "a bad date")
t.ok(s.append(b"", "d/b")[1].startswith(b"NO"), "nothing is no message")
s.cmd("NOOP")
un, tagged = s.cmd("COPY 1:2 INBOX")
t.ok(re.fullmatch(rb"OK \[COPYUID \d+ 1:2 4:5\] done", tagged), "COPY",
     (un, tagged))
t.ok(s.tagged("COPY 1 nix").startswith(b"NO [TRYCREATE]"), "COPY to nowhere")
t.ok(s.tagged("COPY 99 INBOX").startswith(b"BAD"), "COPY of nothing")
t.same(s.cmd("UID COPY 99 INBOX"), ([], b"OK done"), "UID COPY of nothing")
un, tagged = s.cmd("UID MOVE 2,1 c")
t.ok(len(un) == 3 and re.fullmatch(rb"\* OK \[COPYUID \d+ 1:2 1:2\] .*",
     un[0]) and un[1:] == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"] and
     tagged == b"OK done", "MOVE", (un, tagged))
s.cmd("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
t.same(s.cmd("UID EXPUNGE 4"), ([b"* 2 EXPUNGE"], b"OK done"), "UID EXPUNGE")
t.same(s.cmd("EXPUNGE"), ([b"* 2 EXPUNGE", b"* 1 EXPUNGE"], b"OK done"),
       "EXPUNGE")
s.cmd("STORE 1 +FLAGS.SILENT (\\Deleted)")
t.same(s.cmd("UNSELECT"), ([], b"OK done"), "UNSELECT")
before = len(s.files(".d.b"))
s.cmd("SELECT d/b")
t.same(s.cmd("CLOSE"), ([], b"OK done"), "CLOSE")
t.same(len(s.files(".d.b")), before - 1,
       "expunges in silence; UNSELECT does not")
s.cmd("SELECT d")
un, tagged = s.cmd("DELETE d")
t.ok(tagged == b"OK done" and un[0].startswith(b"* OK [CLOSED]"),
     "DELETE of the open folder closes it", un)
t.ok(s.tagged("CHECK").startswith(b"BAD"), "nothing is open then")

# --- literals

s.cmd("SELECT INBOX")
s.send(b"x APPEND {1}\r\n")
t.same(s.response(), b"+ go on", "a literal for a folder's name")
s.send(b"c {1}\r\n")
t.same(s.response(), b"+ go on", "and one for a message")
s.send(b"m\r\n")
t.ok(s.response().startswith(b"x OK [APPENDUID"), "are two")
for text in (b'STATUS {1+}\r\nc (MESSAGES)', b'STATUS {0003+}\r\nc\r\n '
             b'(MESSAGES)', b'LIST {0+}\r\n {1+}\r\nc', b'LIST "" {1+}\r\n%',
             b'FETCH 1 BODY.PEEK[HEADER.FIELDS ({7+}\r\nSUBJECT)]',
             b'ID ("a" {3+}\r\nx"y)'):
    t.ok(b"OK done" in s.tagged(text) or b"NO [CANNOT]" in s.tagged(text),
         "non-synchronizing: %r" % text)
s.send(b'x FETCH 1 BODY.PEEK[HEADER.FIELDS ({4+}\r\n"a\\b {3+}\r\n{1} '
       b'a]b)]\r\n')
t.ok(b'BODY[HEADER.FIELDS ("\\"a\\\\b" "{1}" "a]b")] {2}' in s.response() and
     s.response() == b"x OK done", "odd names of header fields come quoted")
s.send(b"x APPEND c {3+}\r\nabc\r\ny NOOP\r\n")
t.ok(s.response().startswith(b"x OK [APPENDUID"), "APPEND with {3+}")
t.same(s.response(), b"y OK done", "and the next command")
s.send(b"x APPEND nix {9+}\r\ny LOGOUT\n\r\nz NOOP\r\n")
t.ok(s.response().startswith(b"x NO [TRYCREATE]"), "refused")
t.same(s.response(), b"z OK done", "what was refused is no command")
s.send(b"x APPEND c {3+}\r\nabcd\r\nz NOOP\r\n")
t.ok(s.response().startswith(b"x BAD"), "more behind the message")
t.same(s.response(), b"z OK done", "the next line is a command")
s.send(b"x APPEND c {3+}\r\nabc {9+}\r\ny LOGOUT\n\r\nz NOOP\r\n")
t.ok(s.response().startswith(b"x BAD"), "a second message")
t.same(s.response(), b"z OK done", "is dropped whole")
s.send(b"x STATUS {300000}\r\n")
t.ok(s.response().startswith(b"x BAD [TOOBIG]"), "a literal too large")
big = b"y LOGOUT\r\n" * 30000
s.send(b"x STATUS {%d+}\r\n" % len(big) + big + b" (MESSAGES)\r\nz NOOP\r\n")
t.ok(s.response().startswith(b"x BAD [TOOBIG]"), "one that does not wait")
t.same(s.response(), b"z OK done", "is not taken for commands")
s.send(b"x " + b"ID (" * 3 + b'"' + b"y" * 70000 + b'"\r\nz NOOP\r\n')
t.ok(s.response().startswith(b"x BAD [TOOBIG]"), "a line too long")
t.same(s.response(), b"z OK done", "and the next")
many = b"x ID (" + b'"a" {60000+}\r\n' + b"v" * 60000
many += (b' "a" {60000+}\r\n' + b"v" * 60000) * 5 + b")\r\nz NOOP\r\n"
s.send(many)
t.ok(s.response().startswith(b"x BAD [TOOBIG]"), "many literals in all")
t.same(s.response(), b"z OK done", "and the next")
s.send(b"x STATUS {1+}\r\n\0 (MESSAGES)\r\n")
t.ok(s.response().startswith(b"x BAD"), "NUL in a literal")
s.send(b"x STATUS \"\0\" (MESSAGES)\r\n")
t.ok(s.response().startswith(b"x BAD"), "NUL in a string")
for _ in range(9):
    s.cmd("NOOP")
for more, want in (0, b"x OK done"), (1, b"x BAD [TOOBIG] the command is "
                                      b"too long"):
    s.send(b'x ID ("a" "' + b"y" * (65536 - 15 + more) + b'")\r\n')
    got = s.response()
    t.same(s.response() if got.startswith(b"* ID") else got, want,
           "a line of %d bytes" % (65536 + more))
    s.send(b"z NOOP\r\n")
    s.response()
s2 = Imap(top, root=s.root)
s2.send(b"x ID (" + b"y" * 70000 + b" {9+}\r\nz LOGOUT\r\n")
t.ok(s2.response().startswith(b"* BYE [TOOBIG]"),
     "a line too long, with a literal: nobody knows what follows")
s2.end()
s.send(b"x STATUS {9223372036854775808}\r\n")
t.ok(s.response().startswith(b"* BYE [TOOBIG]"), "2^63: the end")
t.same(s.end(), 0, "in good order")

# --- the same, each byte in a packet of its own

s = Imap(top, new=ALL)
stream = (b'1 SELECT INBOX\r\n2 FETCH 1 (BODY.PEEK[]<5.9> UID)\n'
          b'3 APPEND INBOX {5+}\r\na\r\n\r\n\r\n4 UID STORE 1:2 '
          b'+FLAGS.SILENT (\\Seen)\r\n5 ID ("a" {3+}\r\n\r\n) NIL)\r\n'
          b'5 ID ("a" {3+}\r\n\r\n))\r\n6 NOOP\r\n7 IDLE\r\nDONE\r\n')


def answers(session, split):
    got = []
    if split:
        for k in range(len(stream)):
            session.send(stream[k:k + 1])
            if k % 16 == 0:
                time.sleep(0.0005)
    else:
        session.send(stream)
    while not (got and got[-1].startswith(b"7 ")):
        got.append(session.response())
    return [re.sub(rb"\d{6,}", b"N", g) for g in got]


one = answers(s, False)
s.end()
s = Imap(top, new=ALL)
t.same(answers(s, True), one, "answers do not depend on packets")
t.ok(one[-1] == b"7 OK done" and any(b"5 BAD" in a for a in one),
     "and are what they should be", one)
s.end()

# --- IDLE, other sessions

s = Imap(top, new=ALL)
s2 = Imap(top, root=s.root)
s.cmd("SELECT INBOX")
s2.cmd("SELECT INBOX")
tag = s.start("IDLE")
t.same(s.response(), b"+ idling", "IDLE")
begin = time.monotonic()
s2.cmd("STORE 2 +FLAGS.SILENT (\\Flagged)")
t.ok(s.response().startswith(b"* 2 FETCH (FLAGS (\\Flagged"),
     "IDLE hears of flags")
with open(s.path("tmp/1003.new.host"), "wb") as f:
    f.write(B)
os.rename(s.path("tmp/1003.new.host"), s.path("new/1003.new.host"))
t.same(s.response(), b"* 4 EXISTS", "of a delivery")
t.ok(s.response().startswith(b"* ") and True, "RECENT")
s2.cmd("STORE 1 +FLAGS.SILENT (\\Deleted)")
s2.cmd("EXPUNGE")
got = [s.response()]
while b"EXPUNGE" not in got[-1]:
    got.append(s.response())
t.same(got[-1], b"* 1 EXPUNGE", "of an EXPUNGE")
print("# in %.0f ms" % ((time.monotonic() - begin) * 1000))
s.send(b"done\r\n")
t.same(s.finish(tag)[1], b"OK done", "DONE in any case")
tag = s.start("IDLE")
s.response()
s.send(b"q NOOP\r\n")
t.ok(s.finish(tag)[1].startswith(b"BAD"), "a command ends IDLE with BAD")
t.same(s.response(), b"q OK done", "and is served")

tag = s.start("IDLE")
s.response()
s.send(b"(q {3+}\r\nabc)\r\nr NOOP\r\n")
t.ok(s.finish(tag)[1].startswith(b"BAD"), "something worse ends it, too")
t.ok(s.response().startswith(b"* BAD"), "is answered once")
t.same(s.response(), b"r OK done", "and left behind")

# A message that is gone: numbers stay until they may change.
s2.cmd("NOOP")
s.cmd("NOOP")
s2.cmd("STORE 1 +FLAGS.SILENT (\\Deleted)")
s2.cmd("EXPUNGE")
un, tagged = s.cmd("FETCH 1:3 (UID FLAGS)")
t.ok(b"EXPUNGE" not in b"".join(un) and un[-1].startswith(b"* 3 FETCH"),
     "FETCH tells no EXPUNGE", un)
un, tagged = s.cmd("FETCH 1 BODY.PEEK[]")
t.ok(un == [] and tagged.startswith(b"NO [EXPUNGEISSUED]"),
     "a message that is gone cannot be fetched", (un, tagged))
t.ok(s.tagged("STORE 1 +FLAGS (\\Seen)").startswith(b"NO [EXPUNGEISSUED]"),
     "nor stored")
t.ok(b"* 1 EXPUNGE" in s.untagged("NOOP"), "NOOP tells of it")
s2.end()

# --- the first folders

LISTED = [b'* LIST (\\Subscribed) "/" INBOX',
          b'* LIST (\\Subscribed \\Drafts) "/" Drafts',
          b'* LIST (\\Subscribed \\Sent) "/" Sent',
          b'* LIST (\\Subscribed \\Trash) "/" Trash']
first = Imap(top, conf="imap-folders = Drafts Sent Trash\n")
t.same(first.untagged('LIST "" * RETURN (SUBSCRIBED SPECIAL-USE)'), LISTED,
       "who has no folders gets some")
first.cmd("DELETE Drafts")
first.cmd("UNSUBSCRIBE Drafts")
first.end()
first = Imap(top, root=first.root, conf="imap-folders = Drafts Sent Trash\n")
t.same(first.untagged('LIST "" * RETURN (SUBSCRIBED SPECIAL-USE)'),
       LISTED[:1] + LISTED[2:], "and none of them twice")
first.end()

# --- the end

t.same(s.cmd("LOGOUT"), ([b"* BYE bye"], b"OK done"), "LOGOUT")
t.ok(s.at_end(), "ends the connection")
t.same(s.end(), 0, "and the process")
log = s.child.logged()
t.ok("ev=logout" in log and "service=imap" in log and "why=logout" in log,
     "the log tells", log)
s = Imap(top, new=ALL)
s.send(b"x IDLE\r\n")
s.response()
s.child.term()
t.ok(s.response().startswith(b"* BYE [UNAVAILABLE]"), "SIGTERM in IDLE")
s.end()
s = Imap(top, new=ALL)
s.send(b"x APPEND INBOX {100+}\r\nhalf")
s.child.term()
t.ok(s.response().startswith(b"* BYE [UNAVAILABLE]"), "SIGTERM in a literal")
s.end()
t.same((len(s.files()), os.listdir(s.path("tmp"))), (3, []),
       "of a message that broke off nothing is left")
s = Imap(top, new=ALL, conf="imap-timeout = 1s\n")
t.ok(s.response().startswith(b"* BYE"), "silence")
s.end()
s = Imap(top, new=ALL, conf="imap-timeout = 1s\n", given=b"x IDLE\r\n")
s.response()
t.ok(s.response().startswith(b"* BYE"), "silence in IDLE")
s.end()
s = Imap(top, new=ALL, tag="")
t.ok(s.greeting.startswith(b"* PREAUTH [CAPABILITY "), "no tag: PREAUTH")
s.send(b"x\r\n" * 5 + b"y NOOP\r\n")
got = [s.response() for _ in range(6)]
t.same(got[-1], b"y OK done", "some errors are free")
s.end()
s = Imap(top, new={"5.x.host": b"x" * 4000000})
s.cmd("SELECT INBOX")
s.start("FETCH 1 BODY[]")
time.sleep(0.2)
s.child.term()
t.same(s.child.process.wait(PATIENCE), 0,
       "SIGTERM does not wait for a client that does not read")
s = Imap(top, mailbox="/etc/Maildir")
t.ok(s.greeting.startswith(b"l1 NO ["), "a mailbox outside its root",
     s.greeting)
t.ok(s.response().startswith(b"* BYE"), "BYE")
s.end()

# --- a large message: exact pieces, memory

line = b"x" * 75 + b"\n"
large = b"Subject: large\n\n" + b"".join(
    b"%07d " % i + line for i in range(20000))
s = Imap(top, new={"5.x.host": large})
s.cmd("SELECT INBOX")
sent = wire(large)
t.ok(literal(s.untagged("FETCH 1 BODY.PEEK[]")[0], b"BODY[]") == sent,
     "a large message is whole")
step = 100001
got = b"".join(literal(s.untagged("UID FETCH 1 BODY.PEEK[]<%d.%d>" % (
    k, step))[0], b"BODY[]<%d>" % k) for k in range(0, len(sent), step))
t.ok(got == sent, "in pieces, too")
ok = True
for k in (len(sent) - 5, 17, 131072, 131071, 65536, 1000000, 999999):
    for n in (1, 2, 70000):
        r = s.untagged("FETCH 1 BODY.PEEK[]<%d.%d>" % (k, n))[0]
        ok = ok and literal(r, b"BODY[]<%d>" % k) == sent[k:k + n]
t.ok(ok, "and in pieces here and there")
un, tagged = s.append(sent)
t.ok(tagged.startswith(b"OK [APPENDUID"), "a large APPEND")
t.ok(literal(s.untagged("FETCH 2 BODY.PEEK[]")[0], b"BODY[]") == sent,
     "comes back")
s.send(b"x APPEND INBOX {99999999999}\r\n")
t.ok(s.response().startswith(b"x NO [TOOBIG]"), "too large for a message")
if not SAN:
    s.cmd("UNSELECT")
    with open("/proc/%d/smaps_rollup" % s.child.process.pid) as f:
        private = sum(int(n) for n in re.findall(r"Private_\w+:\s+(\d+)",
                                                 f.read()))
    print("# %d KiB private when idle" % private)
s.end()
t.done()
