#!/usr/bin/env python3
"""The same messages, the same searches, in our imapd and in Dovecot: the same
answers. With POSTERN_CORPUS, its messages, too. Where we differ on purpose, the
message is left out (see apart()).
"""
import imaplib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 't'))
import letters  # noqa: E402
from child import Tap  # noqa: E402

# In what Dovecot adds to addresses without a domain; in the headers of parts
# that are multipart, which nobody reads.
ODD = ('domain', 'missing', 'syntax', 'error', 'alternative', 'mixed',
       'related', 'multipart', 'message', 'boundary', 'report', 'signed')

if os.getuid() != 0:
    print('1..0 # SKIP needs root')
    sys.exit(0)
if not shutil.which('dovecot'):
    print('1..0 # SKIP no dovecot here')
    sys.exit(0)

t = Tap()
top = tempfile.mkdtemp(prefix='postern-w.')
os.chmod(top, 0o711)
random.seed(2026)


def messages():
    got = letters.maildir()
    corpus = os.environ.get('POSTERN_CORPUS', '')
    names = sorted(os.listdir(corpus)) if os.path.isdir(corpus) else []
    for i, name in enumerate(n for n in names if n.endswith('.eml') and
                             'malformed' not in n):
        with open(os.path.join(corpus, name), 'rb') as f:
            data = f.read()
        when = letters.FIRST + (100 + i) * letters.DAY
        got['%d.M%dP2.host:2,%s' % (when, i, 'S' if i % 3 else 'F')] = (
            when, data)
    return got


def server(kind):
    where = os.path.join(top, kind)
    os.makedirs(where)
    os.chmod(where, 0o711)
    tool = os.path.join(TOP, 't', kind)
    subprocess.run([tool, 'start', where, '--users', '1'], check=True)
    with open(os.path.join(where, 'env'), encoding='utf-8') as f:
        env = dict(w.split('=', 1) for w in f.read().replace("'", '').split()
                   if '=' in w)
    box = os.path.join(env['MAILROOT'], 'example.test/user001/Maildir/cur')
    for name, (when, data) in messages().items():
        path = os.path.join(box, name)
        with open(path, 'wb') as f:
            f.write(data)
        os.chown(path, int(env['MAILUID']), int(env['MAILUID']))
        os.utime(path, (when, when))
    c = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']))
    c.login(env['USER1'], env['PASS1'])
    c.select('INBOX')
    return c


def words():
    """Some that are in the messages, some that are parts of words."""
    got = set()
    for _, data in messages().values():
        found = re.findall(rb'(?<= )[a-z]{5,14}(?=[ ,.!?])', data)
        for w in random.sample(found, min(2, len(found))):
            got.add(w.decode()[:random.randint(4, 14)])
    return sorted(w for w in got if not any(o.startswith(w) for o in ODD))


def numbers(test):
    return {i for i, (_, data) in enumerate(messages().values(), 1)
            if test(data)}


def head(data):
    return re.split(rb'\r?\n\r?\n', data, maxsplit=1)[0]


def keys():
    yield from ('ALL', 'SEEN', 'UNSEEN FLAGGED', '1:3,5', 'NOT 2:4',
                'LARGER 2000', 'SMALLER 900', 'SINCE 16-Nov-2023',
                'BEFORE 20-Mar-2024', 'ON 15-Nov-2023', 'OR SEEN LARGER 3000',
                'SENTSINCE 1-Jan-2001', 'SENTBEFORE 2-Jan-2001',
                'SENTON 2-Jan-2001', 'HEADER X-Odd ""', 'HEADER Subject ""',
                'HEADER Received ""', 'HEADER X-Odd "folded"',
                'BODY "end of it"', 'BODY "hides me"', 'BODY "the middle"',
                'TEXT "needle.bin"', 'TEXT "first"', 'BODY "first"',
                'NOT TEXT "first"', 'KEYWORD none', 'UNKEYWORD none')
    for year in range(1996, 2026, 3):
        yield 'SENTBEFORE 1-Jul-%d' % year
        yield 'SENTSINCE 1-Jul-%d' % year
    for text in ('gr\xfc\xdfe', 'K\xd6LN', 'h\xf6rnchen', 'na\xefve CAF\xc9',
                 '\xfcn\xefcode', '\u0436', 'j\xfcrgen', '\xcc\xf5'):
        for key in ('BODY', 'TEXT', 'SUBJECT', 'CC'):
            yield '%s "%s"' % (key, text)
    for w in words():
        for key in ('TEXT', 'BODY', 'SUBJECT', 'FROM', 'TO', 'CC'):
            yield '%s "%s"' % (key, w)


def found(c, key):
    tag = c._new_tag()
    c.send(tag + b' UID SEARCH CHARSET UTF-8 ' + key.encode() + b'\r\n')
    got = []
    while True:
        line = c.readline()
        if line.startswith(b'* SEARCH'):
            got = [int(n) for n in line.split()[2:]]
        elif line.startswith(tag):
            return got if b' OK' in line else line[len(tag):].decode()


def apart():
    """Whom not to ask about what.

    BODY: header fields of a letter in a letter are in our body, as RFC 3501
    has it, and not in Dovecot's. SENT: without a Date it was sent when it
    came, here; there, in 1970. 8 bits in a header are windows-1252 here, and
    comments in it are text. An unknown encoding is read as it is, here.
    """
    letters_in = numbers(lambda d: re.search(
        rb'message/rfc822|multipart/digest', d, re.I))
    undated = numbers(lambda d: len(re.findall(rb'(?im)^date:',
                                               head(d))) != 1)
    bits = numbers(lambda d: any(c > 127 for c in head(d)))
    unknown = numbers(lambda d: re.search(
        rb'(?im)^content-transfer-encoding:\s*'
        rb'(?!7bit|8bit|binary|base64|quoted)', d))
    comments = numbers(lambda d: re.search(rb'(?im)^(from|to|cc):.*\(',
                                           head(d)))
    return {'BODY': letters_in | unknown, 'SENT': undated,
            'TEXT': bits | unknown, 'SUBJ': bits, 'FROM': bits | comments,
            'TO "': bits | comments, 'CC "': bits | comments}


def run():
    ours, theirs = server('instance'), server('dovecot')
    number = len(messages())
    for c in ours, theirs:
        t.same(len(found(c, 'ALL')), number, '%d messages' % number)
    asked = differ = 0
    out = apart()
    for key in keys():
        asked += 1
        a, b = found(ours, key), found(theirs, key)
        if isinstance(a, str) or isinstance(b, str):
            print('# %s: %s %s' % (key, a, b))
            differ += 1
            continue
        odd = (set(a) ^ set(b)) - out.get(key[:4], set())
        if odd:
            differ += 1
            print('# %s: only ours %s, only Dovecot %s' % (
                key, sorted(odd & set(a)), sorted(odd & set(b))))
    t.same(differ, 0, '%d searches agree' % asked)


try:
    run()
finally:
    for kind in 'instance', 'dovecot':
        subprocess.run([os.path.join(TOP, 't', kind), 'stop',
                        os.path.join(top, kind)], stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
t.done()
