"""SEARCH: a table of messages, a table of keys, and which they are."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import imapd
import letters
from child import Tap

t = Tap()
top = imapd.scratch()
cur = letters.maildir()
c = imapd.Imap(top, cur={name: data for name, (_, data) in cur.items()})
for name, (when, _) in cur.items():
    os.utime(c.path("cur/" + name), (when, when))
c.cmd("SELECT INBOX")
t.ok(c.tagged("STORE 2,3 +FLAGS ($Junk)").startswith(b"OK"), "a keyword")

CASES = [
    ("ALL", "1 2 3 4 5"),
    ("2:3", "2 3"), ("*", "5"), ("4:*,1", "1 4 5"), ("7", ""), ("5:2", "2 3 4 5"),
    ("UID 2:3", "2 3"), ("NOT 2:3", "1 4 5"),
    ("SEEN", "1 4 5"), ("UNSEEN", "2 3"), ("ANSWERED", "3"),
    ("DELETED", "4"), ("UNDELETED", "1 2 3 5"), ("DRAFT", "5"),
    ("FLAGGED", "3"), ("UNFLAGGED SEEN", "1 4 5"), ("UNDRAFT", "1 2 3 4"),
    ("KEYWORD $junk", "2 3"), ("UNKEYWORD $Junk", "1 4 5"),
    ("KEYWORD none", ""), ("UNKEYWORD none", "1 2 3 4 5"),
    ("OR SEEN FLAGGED", "1 3 4 5"), ("OR 1 OR 2 OR 3 4", "1 2 3 4"),
    ("NOT (OR SEEN FLAGGED)", "2"), ("NOT NOT SEEN", "1 4 5"),
    ("(SEEN DELETED)", "4"), ("SEEN NOT DELETED 1:4", "1"),
    ("LARGER 4000", "2 5"), ("SMALLER 4000", "1 3 4"),
    ("LARGER 4000 SMALLER 100000", "2"),
    ("SINCE 16-Nov-2023", "3 4 5"), ("BEFORE 16-Nov-2023", "1 2"),
    ("ON 15-Nov-2023", "2"), ("ON 13-Nov-2023", ""),
    ("SENTON 1-Jan-2001", "1"), ("SENTON 2-Jan-2001", "2"),
    ("SENTBEFORE 2-Jan-2001", "1"), ("SENTSINCE 1-Jan-2001", "1 2 3 4 5"),
    ("SENTON 16-Nov-2023", "3"), # arrived then, and has no Date
    ("YOUNGER 60", ""), ("OLDER 60", "1 2 3 4 5"),
    ("FROM ann", "1 4"), ("FROM ANN@EXAMPLE", "1 4"), ("TO bob", "1"),
    ('CC "jürgen"', "2"), ('CC "JÜRGEN"', "2"), ("BCC secret", "4"),
    ("SUBJECT first", "1 2"), ('SUBJECT "Re: first"', "2"),
    ('SUBJECT "Ììõ"', "4"),
    ('HEADER x-odd "folded  value"', "2"), ('HEADER X-Odd ""', "2"),
    ('HEADER X-Empty ""', "5"), ('HEADER X-Empty a', ""),
    ('HEADER Subject ""', "1 2 3 4"), ("HEADER In-Reply-To 1@a", "2"),
    ('HEADER x-none ""', ""),
    ("BODY zebra", "1"), ("BODY ZEBRA", "1"), ("BODY first", "5"),
    ("TEXT first", "1 2 5"), ('BODY "end of it"', "5"),
    ('BODY "grüße"', "3"), ('BODY "the middle"', "3"), ('BODY "KÖLN"', "3"),
    ('BODY "hörnchen"', "3"), ('SUBJECT "hörnchen"', ""),
    ('BODY "inner body"', "3"), ("BODY inner@example.net", "3"),
    ("FROM inner", ""), ("TEXT needle.bin", "3"),
    ('BODY "hides me"', ""), ('BODY "naïve CAFÉ"', "3"),
    ('BODY "ünïcode"', "4"), ('BODY "ж"', "4"), ("TEXT secret@", "4"),
    ('BODY ""', "1 2 3 4 5"), ('TEXT ""', "1 2 3 4 5"),
    ('OR BODY zebra OR BODY "ünïcode" SUBJECT re:', "1 2 4"),
    ("NOT TEXT first", "3 4"), ("TEXT first SEEN NOT BODY zebra", "5"),
    ("BODY zebra TEXT zebra", "1"),
]


def found(text):
    """The numbers of a SEARCH that succeeds."""
    untagged, tagged = c.cmd(text)
    if not tagged.startswith(b"OK"):
        return tagged.decode("latin-1")
    lines = [u for u in untagged if u.startswith(b"* SEARCH")]
    return lines[0][len("* SEARCH"):].decode().strip() if len(lines) == 1 \
        else "%d answers" % len(lines)


for keys, want in CASES:
    command = "SEARCH CHARSET UTF-8 " + keys
    t.same(found(command.encode()), want, keys)
t.same(found(b"UID SEARCH SEEN"), "1 4 5", "by UID")
t.same(found("SEARCH CHARSET ISO-8859-1 BODY \"grüße\"".encode("latin-1")), "3",
       "in another charset")
tag = c.start("SEARCH CHARSET UTF-8 BODY {7+}")
c.send("grüße\r\n".encode())
t.ok(c.finish(tag)[0][0] == b"* SEARCH 3", "a literal")

for keys, want in [
        ("RETURN () SEEN", b"ALL 1,4:5"),
        ("RETURN (MIN) SEEN", b"MIN 1"),
        ("RETURN (MAX) SEEN", b"MAX 5"),
        ("RETURN (COUNT) SEEN", b"COUNT 3"),
        ("RETURN (MIN MAX ALL COUNT) SEEN", b"MIN 1 MAX 5 ALL 1,4:5 COUNT 3"),
        ("RETURN (MIN COUNT) KEYWORD none", b"COUNT 0"),
        ("RETURN (ALL) KEYWORD none", b"")]:
    untagged, tagged = c.cmd("SEARCH " + keys)
    head = b'* ESEARCH (TAG "a%d")' % c.number
    t.ok(tagged.startswith(b"OK") and untagged[0] ==
         head + (b" " + want if want else b""), keys, untagged)
untagged, tagged = c.cmd("UID SEARCH RETURN (COUNT) ALL")
t.ok(b") UID COUNT 5" in untagged[0], "UID SEARCH RETURN", untagged)
untagged, tagged = c.cmd("SEARCH MODSEQ 1 1:2")
t.ok(b"* SEARCH 1 2 (MODSEQ " in untagged[0], "MODSEQ", untagged)

for bad in ("SEARCH", "SEARCH XYZZY", "SEARCH ()", "SEARCH SEEN ",
            "SEARCH RETURN (X) ALL", "SEARCH $", "SEARCH LARGER",
            "SEARCH " + "(" * 60 + "ALL" + ")" * 60,
            "SEARCH " + "NOT " * 100 + "ALL"):
    t.ok(c.tagged(bad).startswith(b"BAD"), bad[:30] + " is refused")
t.ok(c.tagged("SEARCH CHARSET x-none ALL").startswith(b"NO [BADCHARSET ("),
     "a charset that there is not")
t.ok(c.tagged(b"SEARCH CHARSET UTF-8 BODY {2+}\r\n\xc3(").startswith(b"BAD"),
     "a text that is none in it")
os.unlink(c.path("cur/" + sorted(os.listdir(c.path("cur")))[0]))
t.ok(found(b"SEARCH BODY zebra") == "" and found(b"SEARCH TEXT first") in
     ("2 5", "1 4"), "a file that is gone has no text")
rest = found(b"SEARCH NOT BODY zebra-and-gnu")
t.ok(len(rest.split()) == 4, "nor is it one without", rest)

# While it reads, the rows move in memory: names are looked for on disk.
for name in sorted(os.listdir(c.path("cur"))):
    os.rename(c.path("cur/" + name), c.path("cur/" + name + "a"))
for i in range(100):
    with open(c.path("cur/%d.more%d:2," % (2000000000 + i, i)), "wb") as f:
        f.write(b"Subject: more\n\nmore\n")
first, again = found(b"UID SEARCH TEXT first"), found(b"UID SEARCH TEXT first")
t.ok(first == again and first in ("2 5", "1 4"),
     "files that another program renames are found", (first, again))
c.cmd("LOGOUT")
t.same(c.end(), 0, "it ends well")
shutil.rmtree(top)
t.done()
