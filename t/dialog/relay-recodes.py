#!/usr/bin/env python3
"""relay, and servers that do not take a message as it is: no 8BITMIME, lines
over 998 octets. What arrives is read by Python's email, and means the same."""
import email
import email.policy
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from carrier import HOST, LMTP, Carrier, Server  # noqa: E402
from child import Tap  # noqa: E402

t = Tap()
EIGHT = '250-server\n250-PIPELINING\n250-SIZE 9000000\n250 8BITMIME'
SEVEN = '250-server\n250-PIPELINING\n250 SIZE 9000000'
CTE = b'Content-Transfer-Encoding: '
CAFE = 'a large cup of café\n'.encode()
GREEK = 'Ὦ ξεῖν’, ἀγγέλλειν Λακεδαιμονίοις\n'.encode()
LONG = b'<p>' + b'one word after another ' * 200 + b'</p>\n'


def mixed(*parts, kind=b'mixed', encoding=b'8bit'):
    head = (b'Subject: parts\nMIME-Version: 1.0\nContent-Type: multipart/' +
            kind + b'; boundary="=_b"\n' + CTE + encoding + b'\n\n')
    return head + b''.join(b'--=_b\n' + p + b'\n' for p in parts) + \
        b'--=_b--\n'


def text(body, encoding=b'8bit', kind=b'text/plain'):
    return (b'Content-Type: ' + kind + b'; charset=utf-8\n' + CTE +
            encoding + b'\n\n' + body)


def leaves(message):
    """What a reader sees of each part."""
    m = email.message_from_bytes(message, policy=email.policy.compat32)
    return [(p.get_content_type(),
             p.get_payload(decode=True).replace(b'\r\n', b'\n').rstrip(b'\n'))
            for p in m.walk() if not p.is_multipart()]


def longest(message):
    return max(len(l) for l in message.split(b'\n'))


def is_ascii(message):
    return all(b < 128 for b in message)


def send(c, s, body, ehlo=SEVEN, **kw):
    """One message: its body as it came, and the MAIL command."""
    s.says['EHLO'] = ehlo
    for talk in s.talks:
        talk.end()
    s.talks.clear()
    s.bodies.clear()
    kw.setdefault('transport', LMTP if s.lmtp else HOST)
    seen = len(sent_lines(c))
    got = c.wait(c.job(['r@dest.test'], port=s.port, body=body, **kw))
    t.ok(got['r@dest.test'][0] == 250, 'is taken', got)
    t.ok(c.pump(lambda: len(sent_lines(c)) > seen), 'and logged')
    mail = [x for x in s.commands() if x.startswith('MAIL')][0]
    return s.bodies[-1] if s.bodies else b'', mail


def converted(c, s, name, body, want_leaves=None, **kw):
    print('# ' + name)
    got, mail = send(c, s, body, **kw)
    t.ok(is_ascii(got) and longest(got) <= 998, name + ' becomes plain', got)
    t.ok(leaves(got) == (want_leaves or leaves(body)),
         'and means the same', leaves(got))
    if kw.get('ehlo', SEVEN) != '250 server':
        octets = len(got) + got.count(b'\n')
        t.ok(' SIZE=%d' % octets in mail + ' ', 'SIZE is that of what is sent',
             '%s, %d' % (mail, octets))
    t.ok('BODY' not in mail, 'nothing of 8-bit is said', mail)


def sent_lines(c):
    """The log is written after the answers."""
    return [l for l in c.log_text().split('\n')[:-1] if 'ev=sent' in l]


def as_it_is(c, s, name, body, note, ehlo=SEVEN, says=False):
    print('# ' + name)
    got, mail = send(c, s, body, ehlo)
    t.ok(got == body, name + ' stays as it is', got)
    t.ok((' BODY=8BITMIME' in mail) == says, 'and is announced as it is',
         mail)
    line = sent_lines(c)[-1]
    t.ok((note in line) if note else 'content=' not in line,
         'the log says so, if there is something to say', line)


def one_by_one(lmtp):
    with Carrier().start() as c:
        s = Server('127.0.0.1', lmtp=lmtp)
        head = b'MIME-Version: 1.0\n'
        converted(c, s, 'a text', head + text(CAFE * 30))
        converted(c, s, 'a Greek text', head + text(GREEK * 30))
        converted(c, s, 'two parts', mixed(text(CAFE), text(b'plain\n')))
        converted(c, s, 'a letter in parts', mixed(
            text(b'see below\n'),
            b'Content-Type: message/rfc822\n' + CTE + b'8bit\n\n' +
            mixed(text(CAFE), text(GREEK))))
        converted(c, s, 'a text without MIME', b'Subject: x\n\n' + CAFE)
        converted(c, s, 'dots', head + text(b'.\n..\n.' + CAFE + b'.\n'))
        converted(c, s, 'a long line', head + text(LONG, b'7bit',
                                                   b'text/html'))
        converted(c, s, 'a long line, to who takes 8 bits', mixed(
            text(LONG, b'7bit', b'text/html'), text(b'plain\n', b'7bit')),
            ehlo=EIGHT)
        converted(c, s, 'base64 on one line', head + text(
            b'QUJD' * 5000 + b'\n', b'base64', b'application/x'))
        converted(c, s, 'a long header', b'Subject:' + b' abcdefgh' * 500 +
                  b'\n' + head + text(b'x\n', b'7bit'))
        got, _ = send(c, s, b'Subject:' + b' abcdefgh' * 500 + b'\n\nx\n')
        t.ok(re.sub(rb'\n(?= )', b'', got) ==
             b'Subject:' + b' abcdefgh' * 500 + b'\n\nx\n',
             'it is folded and nothing else', got)
        as_it_is(c, s, 'a plain one', head + text(b'x\n', b'7bit'), '')
        as_it_is(c, s, '8-bit, to who takes it', head + text(CAFE), '',
                 EIGHT, True)
        as_it_is(c, s, 'a signed one', mixed(
            text(CAFE), b'Content-Type: application/pgp-signature\n\nS',
            kind=b'signed'), 'content=8-bit')
        as_it_is(c, s, 'an 8-bit header', b'Subject: ' + CAFE + b'\nx\n',
                 'content=8-bit')
        as_it_is(c, s, 'a long word in a header', b'Subject: ' + b'x' * 2000 +
                 b'\n\nx\n', 'content="long lines"')
        as_it_is(c, s, 'a long line under DKIM', b'DKIM-Signature: v=1\n' +
                 head + text(LONG, b'7bit'), 'content="long lines"')
        print('# from a file, to one server after the other')
        body = mixed(text(GREEK * 20000), text(CAFE * 20000),
                     text(LONG * 100, b'7bit'))
        for skip in (0, 517):
            with tempfile.TemporaryFile() as f:
                f.write(b'x' * skip + body + b'log')
                f.flush()
                where = dict(fd=f.fileno(), offset=skip, size=len(body))
                converted(c, s, 'a large one', body, **where)
                got, mail = send(c, s, body, EIGHT, **where)
                t.ok(leaves(got) == leaves(body) and GREEK in got and
                     longest(got) < 998 and 'BODY=8BITMIME' in mail,
                     'only long lines go, where 8 bits are taken', mail)
        s.says['EHLO'] = '250-server\n250 SIZE %d' % (len(CAFE) * 1000 + 500)
        got = c.wait(c.job(['r@dest.test'], port=s.port, transport=LMTP if
                           lmtp else HOST, body=head + text(CAFE * 1000)))
        t.ok(got['r@dest.test'][:2] == (552, '5.3.4'),
             'what is too large when it is recoded is not sent', got)
        t.ok(not s.troubles, 'only whole lines were sent', s.troubles)
        s.close()
        t.ok(c.stop() == 0, 'relay ends well')
        bad = [l for l in c.log_text().splitlines() if 'Sanitizer' in l or
               'runtime error' in l or 'level=error' in l]
        t.ok(not bad, 'and has nothing to complain about', bad)


one_by_one(False)
one_by_one(True)
t.done()
