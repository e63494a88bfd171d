"""Odd messages go in by SMTP and by APPEND, and come back by FETCH byte by byte
as they were sent, in one piece and in parts. A small set of our own, and each
.eml in the directory POSTERN_CORPUS.
"""
import glob
import os
import re
import shutil
import smtplib
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, Tap
from imap import Literal, Server

TRACE = re.compile(rb'(return-path|delivered-to|received)[ \t]*:', re.I)
OWN = {
    'no body': b'Subject: x\r\n\r\n',
    'no header': b'\r\nbody\r\n',
    'no empty line': b'Subject: x\r\n',
    'nothing that is a header': b'hello there\r\nyou\r\n',
    'dots': b'Subject: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n',
    'long lines': b'Subject: ' + b'y' * 900 + b'\r\n\r\n' + b'z' * 990 +
                  b'\r\n',
    '8 bits': b'Subject: \xe4\xff\r\nX: \xc3\xa4\r\n\r\n' +
              bytes(range(128, 256)) + b'\r\n',
    'controls': b'Subject: a\tb\x7f\r\n\r\n\x01\x02\x1b[0m\r\n',
    'many lines': b'Subject: x\r\n\r\n' + b'line\r\n' * 20000,
    'parts': b'Content-Type: multipart/mixed; boundary="a b"\r\n\r\nbefore\r\n'
             b'--a b\r\n\r\nfirst\r\n--a b\r\nContent-Type: message/rfc822'
             b'\r\n\r\nSubject: in\r\nContent-Type: multipart/alternative;'
             b' boundary=i\r\n\r\n--i\r\nContent-Type: text/html\r\n\r\n<b>'
             b'\r\n--i\r\nContent-Type: image/png\r\nContent-Transfer-'
             b'Encoding: base64\r\n\r\nAAAA\r\n--i--\r\nafter\r\n--a b--\r\n'
             b'after all\r\n',
    'a part without an end': b'Content-Type: multipart/mixed; boundary=x\r\n'
                             b'\r\n--x\r\n\r\nopen\r\n',
}
# What SMTP does not let through as it is.
ONLY_APPEND = {
    'no end of line': b'Subject: x\r\n\r\nlast',
    'CR in a line': b'Subject: x\r\n\r\na\rb\r\n',
    'very long lines': b'Subject: x\r\n\r\n' + b'w' * 70000 + b'\r\n',
}


def wire(data):
    """What can be sent at all."""
    data = re.sub(rb'\r\n|\r|\n', b'\r\n', data)
    return data if data.endswith(b'\r\n') else data + b'\r\n'


def corpus():
    messages = dict(OWN)
    for path in sorted(glob.glob(os.path.join(
            os.environ.get('POSTERN_CORPUS') or '/nonexistent', '*.eml'))):
        with open(path, 'rb') as f:
            data = wire(f.read())
        if b'\0' not in data:
            messages[os.path.basename(path)] = data
    return messages


def by_smtp(server, messages):
    """The names of those that were taken."""
    user, _ = server.user(1)
    taken = []
    for name, data in messages.items():
        with smtplib.SMTP('127.0.0.1', int(server.env['SMTP_PORT']),
                          timeout=PATIENCE, local_hostname='c.test') as s:
            s.ehlo()
            s.mail('a@client.test', ['BODY=8BITMIME'])
            s.rcpt(user)
            s.putcmd('data')
            s.getreply()
            s.send(re.sub(rb'(?m)^\.', b'..', data) + b'.\r\n')
            code, text = s.getreply()
        if code == 250:
            taken.append(name)
        else:
            print('# %s: %d %r' % (name, code, text))
    return taken


def untraced(data):
    """Without what delivery puts in front."""
    while True:
        m = TRACE.match(data)
        if not m:
            return data
        end = re.compile(rb'\r\n(?![ \t])').search(data)
        data = data[end.end():]


def leaves(body, path=()):
    """(section, octets, lines or None) of each part of a BODYSTRUCTURE."""
    if body[0] == 'MULTIPART':
        for i, part in enumerate(body[2]):
            yield from leaves(part, path + (i + 1,))
        return
    own = path or (1,)
    octets = body[2][4]
    if (body[0].upper(), body[1].upper()) == (b'MESSAGE', b'RFC822'):
        inner = body[3][1]
        yield own, octets, body[3][2]
        yield from leaves(inner, own + (() if inner[0] == 'MULTIPART'
                                        else (1,)))
        return
    yield own, octets, body[3][0] if body[3] else None


def look(c, uid):
    """Everything about a message, and that it fits together: troubles."""
    (_, got), = c('UID FETCH %d (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY '
                  'BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] '
                  'BODY.PEEK[]<7.50> RFC822.HEADER)' % uid).all('FETCH')
    data = got['BODY[]']
    bad = []
    if got['RFC822.SIZE'] != len(data):
        bad.append('RFC822.SIZE %d of %d' % (got['RFC822.SIZE'], len(data)))
    if got['BODY[HEADER]'] + got['BODY[TEXT]'] != data:
        bad.append('HEADER and TEXT are not all')
    if got['RFC822.HEADER'] != got['BODY[HEADER]']:
        bad.append('RFC822.HEADER')
    if got['BODY[]<7>'] != data[7:57]:
        bad.append('<7.50>')
    for section, octets, lines in leaves(got['BODYSTRUCTURE']):
        name = '.'.join(map(str, section))
        (_, part), = c('UID FETCH %d BODY.PEEK[%s]' % (uid, name)).all('FETCH')
        text = part['BODY[%s]' % name]
        if text is None or len(text) != octets:
            bad.append('part %s has %s of %d octets' % (
                name, text if text is None else len(text), octets))
        elif lines is not None and text.count(b'\r\n') not in (lines,
                                                               lines - 1):
            bad.append('part %s has %d of %d lines' % (
                name, text.count(b'\r\n'), lines))
    return data, bad


def whole(c):
    """{UID: bytes}, and what did not fit."""
    seen, bad = {}, []
    for uid in c.view.uids:
        seen[uid], wrong = look(c, uid)
        bad += ['%d: %s' % (uid, w) for w in wrong]
    return seen, bad


t = Tap()
where = tempfile.mkdtemp(prefix='postern-c.')
os.chmod(where, 0o755)
server = Server(os.path.join(where, 'inst'), 2)
try:
    messages = corpus()
    print('# %d messages' % len(messages))
    if 'SMTP_PORT' in server.env:
        taken = by_smtp(server, messages)
        c = server.client(1)
        c.select('INBOX')
        end = time.monotonic() + PATIENCE
        while len(c.view.uids) < len(taken) and time.monotonic() < end:
            c.noop()
            time.sleep(0.05)
        seen, bad = whole(c)
        t.same(sorted(map(untraced, seen.values())) ==
               sorted(untraced(messages[n]) for n in taken), True,
               'in by SMTP: the same come back')
        t.ok(not bad, 'and their parts fit', '\n'.join(bad))
        c.logout()
    messages.update(ONLY_APPEND)
    c = server.client(2)
    c.select('INBOX')
    uids = {}
    for name, data in messages.items():
        r = c('APPEND INBOX ', Literal(data))
        uids[name] = r.code[1][1][0]
    c.noop()
    seen, bad = whole(c)
    t.same([n for n in messages if seen[uids[n]] != messages[n]], [],
           'in by APPEND: the same come back')
    t.ok(not bad, 'and their parts fit', '\n'.join(bad))
    again, _ = whole(c)
    t.ok(again == seen, 'and again')
    r = c('UID COPY 1:* INBOX')
    c.noop()
    copies = dict(zip(r.codes()['COPYUID'][1], r.codes()['COPYUID'][2]))
    seen, bad = whole(c)
    t.same([u for u in copies if seen[copies[u]] != seen[u]] + bad, [],
           'copies are the same')
    c.logout()
    t.same(server.stop(), 0, 'it stops')
finally:
    server.stop()
    shutil.rmtree(where, ignore_errors=True)
t.done()
