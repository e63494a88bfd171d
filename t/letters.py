"""letters: a few messages to search in, for tests of SEARCH."""
import base64

DAY = 86400
FIRST = 1700000000  # Tue, 14 Nov 2023 22:13:20 UTC


def letter(text, **fields):
    head = "".join("%s: %s\n" % (k.replace("_", "-"), v)
                   for k, v in fields.items())
    return (head + "\n").encode() + (text if isinstance(text, bytes)
                                     else text.encode())


def b64(text):
    return base64.encodebytes(text.encode())


NESTED = b"""\
From: outer@example.org
Subject: forward
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

Preamble of zeppelin
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe aus K=C3=B6ln, a long line that is =
cut in the mid=
dle
--b
Content-Type: message/rfc822

From: inner@example.net
Subject: =?utf-8?q?H=C3=B6rnchen?=

the inner body
--b
Content-Type: application/octet-stream; name=needle.bin
Content-Transfer-Encoding: base64

""" + b64("binary hides me") + b"""\
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: base64

""" + base64.encodebytes("<p>naïve café</p>".encode("latin-1")) + b"""\
--b--
"""

MESSAGES = [  # days after FIRST, flags, bytes
    (0, "S", letter("Hello Bob, zebra\n", From="Ann <ann@example.org>",
                    To="bob@example.com", Subject="first letter",
                    Date="Mon, 1 Jan 2001 23:30:00 -0500")),
    (1, "", letter("A reply\n" + "x" * 5000 + "\n",
                   From="Bob <bob@example.com>", To="ann@example.org",
                   Cc="=?utf-8?q?J=C3=BCrgen?= <j@example.de>",
                   Subject="Re: first letter", In_Reply_To="<1@a>",
                   X_Odd="a folded\n  value here",
                   Date="2 Jan 2001 01:00:00 +0000")),
    (2, "FR", NESTED),
    (3, "ST", letter(b64("Ünïcode in base64 "
                         "\N{CYRILLIC CAPITAL LETTER ZHE}\n"),
                     From="ann@example.org", Bcc="secret@example.org",
                     Subject="=?iso-8859-1?b?zOw=?= =?utf-8?b?w7U=?=",
                     MIME_Version="1.0",
                     Content_Type="text/plain; charset=utf-8",
                     Content_Transfer_Encoding="base64")),
    (4, "DS", letter("no headers of note; the first\n" +
                     "y" * 100000 + "END OF IT\n", X_Empty="")),
]


def maildir():
    """{name: (s since the epoch, bytes)} of a Maildir's cur/"""
    return {"%d.M%dP1.host:2,%s" % (FIRST + d * DAY, i, flags):
            (FIRST + d * DAY, data)
            for i, (d, flags, data) in enumerate(MESSAGES)}
