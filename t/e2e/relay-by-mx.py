#!/usr/bin/env python3
"""Where mail goes, by real name servers (t/zones.py): the MX records of a
domain in their order, its address if it has none, nowhere if it says so. What
cannot be known waits; what cannot be is reported to its sender.

Other hosts are servers on 127.0.0.2 and on, all at one port (smtp-port).
"""
import collections
import email
import email.policy
import json
import os
import shutil
import smtplib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 't'))
from child import PATIENCE, SAN, Tap  # noqa: E402
from zones import Zones, free_port, lacking  # noqa: E402

if lacking():
    print('1..0 # SKIP not installed: ' + lacking())
    sys.exit(0)
try:
    with socket.socket() as probe:
        probe.bind(('127.0.0.2', 0))
except OSError:
    print('1..0 # SKIP no addresses but 127.0.0.1 here')
    sys.exit(0)
EQUALS = 20 if SAN else 24
ZONES = '''
zone two.test
@       MX 20 second
@       MX 10 first
first   A 127.0.0.2
second  A 127.0.0.3
zone bare.test
@       A 127.0.0.4
zone null.test
@       MX 0 .
@       A 127.0.0.4
zone alias.test
www     CNAME two.test.
zone dangling.test
www     CNAME nowhere.two.test.
zone pointed.test
@       MX 10 mx
mx      CNAME second.two.test.
zone deadfirst.test
@       MX 10 dead
@       MX 20 second.two.test.
dead    A 127.0.0.9
zone surly.test
@       MX 10 surly
@       MX 20 second.two.test.
surly   A 127.0.0.5
zone dead.test
@       MX 10 a
@       MX 20 b
a       A 127.0.0.9
b       A 127.0.0.10
zone servfail.test
@       MX 10 mx.failing.test.
zone bogus.test bogus
@       MX 10 second.two.test.
zone signed.test signed
@       MX 10 first.two.test.
zone loop.test
@       MX 10 localhost.localdomain.
@       MX 20 second.two.test.
zone backup.test
@       MX 10 dead.deadfirst.test.
@       MX 20 localhost.localdomain.
@       MX 30 second.two.test.
zone equal.test
@       MX 10 first.two.test.
@       MX 10 second.two.test.
zone mapped.test
@       MX 10 first.two.test.
zone empty.test
@       TXT "no mail here"
zone lost.test
@       MX 10 nowhere.two.test.
zone strict.test
@       MX 10 first.two.test.
@       MX 20 second.two.test.
'''
t = Tap()
top = tempfile.mkdtemp(prefix='postern-m.')
env = {}
got = collections.defaultdict(list)  # recipient: who took it
calls = collections.Counter()        # connections of each


class Talk(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')

    def handle(self):
        me, to = self.server.server_address[0], []
        calls[me] += 1
        if self.server.surly:
            return self.say('421 4.3.2 not now')
        self.say('220 host.test ready')
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b'RCPT':
                to.append(line.split(b'<')[1].split(b'>')[0].decode())
                if to[-1].startswith('no'):
                    self.say('550 5.1.1 %s has no mailbox' % to.pop())
                else:
                    self.say('250 2.1.5 ok')
            elif verb == b'DATA':
                self.say('354 go on' if to else '554 5.5.1 for whom?')
                while to and self.rfile.readline() not in (b'.\r\n', b''):
                    pass
                if to:
                    for who in to:
                        got[who].append(me)
                    self.say('250 2.0.0 taken')
                to = []
            elif verb == b'QUIT':
                return self.say('221 2.0.0 bye')
            else:
                self.say('250 2.0.0 ok')


class Host(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, port, surly=False):
        super().__init__((address, port), Talk)
        self.surly = surly
        threading.Thread(target=self.serve_forever, daemon=True).start()


def hosts():
    """All at one port, or another is tried."""
    for _ in range(100):
        up, port = [], free_port()
        try:
            for n in 2, 3, 4, 5, 6:
                up.append(Host('127.0.0.%d' % n, port, n == 5))
            return port
        except OSError:
            for h in up:
                h.server_close()
    raise OSError('no port that is free at all addresses')


def instance(verb, *options):
    return subprocess.run([os.path.join(TOP, 't', 'instance'), verb, top,
                           *options], check=True)


def postern(*words):
    return subprocess.run([env['POSTERN'], '-c', env['CONF'], *words],
                          check=True, capture_output=True, text=True).stdout


def until(fn):
    end = time.monotonic() + PATIENCE
    while not fn() and time.monotonic() < end:
        time.sleep(0.05)
    return fn()


def send(*to):
    with smtplib.SMTP('127.0.0.1', int(env['SMTP_PORT']), 'client.test',
                      PATIENCE) as s:
        for who in to:
            s.sendmail(env['USER1'], [who], 'From: <%s>\r\nTo: <%s>\r\n'
                       'Subject: to %s\r\n\r\nhello\r\n' % (
                           env['USER1'], who, who))


def reports():
    """{recipient: (status, diagnosis, the report)} of what came back"""
    box = os.path.join(env['MAILROOT'], env['DOMAIN'], 'user001/Maildir/new')
    found = {}
    for name in os.listdir(box):
        with open(os.path.join(box, name), 'rb') as f:
            m = email.message_from_binary_file(f, policy=email.policy.default)
        for part in m.walk():
            who = str(part.get('Final-Recipient', '')).split(';')[-1].strip()
            if who:
                found[who] = (part['Status'], part['Diagnostic-Code'] or '', m)
    return found


def waiting():
    """{recipient: the last reply} of what is in the queue"""
    out = {}
    for line in postern('queue', '--json').splitlines():
        for r in json.loads(line).get('recipients', []):
            out[r['address']] = json.dumps(r)
    return out


def arrives():
    send('ann@two.test', 'ann@bare.test', 'ann@www.alias.test',
         'ann@pointed.test', 'ann@deadfirst.test', 'ann@surly.test',
         'ann@mapped.test', 'ann@signed.test')
    for who, at, name in (
            ('ann@two.test', '2', 'the better MX gets it'),
            ('ann@bare.test', '4', 'without MX the address does'),
            ('ann@www.alias.test', '2', 'an alias is followed to its MX'),
            ('ann@pointed.test', '3', 'an MX that is an alias is, too'),
            ('ann@deadfirst.test', '3', 'if the first is dead, the second'),
            ('ann@surly.test', '3', 'if the first says 421, the second'),
            ('ann@mapped.test', '6', 'the transport map goes before MX'),
            ('ann@signed.test', '2', 'one whose signature is good')):
        until(lambda w=who: got[w])
        t.same(got[who], ['127.0.0.' + at], name)
    t.ok(calls['127.0.0.5'] > 0, 'who says 421 was asked')


def comes_back():
    wanted = (
        ('ann@null.test', '5.1.10', 'null MX', 'a null MX'),
        ('ann@none.test', '5.1.2', 'no such domain', 'no such domain'),
        ('ann@www.dangling.test', '5.1.2', 'domain', 'an alias of nothing'),
        ('ann@empty.test', '5.1.2', 'no MX record and no address',
         'a name without MX and address'),
        ('ann@lost.test', '5.4.4', 'no address', 'an MX without address'),
        ('ann@loop.test', '5.4.6', 'comes back to this host',
         'a loop to oneself'),
        ('nobody@strict.test', '5.1.1', 'has no mailbox',
         'a recipient who is refused'))
    send(*(w[0] for w in wanted))
    until(lambda: len(reports()) == len(wanted))
    found = reports()
    for who, status, words, name in wanted:
        s, why, m = found.get(who, ('', '', None))
        t.ok(s == status and words in ' '.join(why.split()),
             '%s: its report says %s' % (name, status), (s, why))
        t.ok(m is not None and m.get_content_type() == 'multipart/report' and
             m['To'] and env['USER1'] in m['To'] and
             words in ' '.join(m.get_payload(0).get_content().split()),
             '%s: also to who reads it' % name, m)
    t.same(got['nobody@strict.test'], [], 'nobody else is asked for it')
    t.same(len(found), len(wanted), 'nothing else came back')
    m = found['nobody@strict.test'][2]
    t.ok('first.two.test' in str(m) and '550 5.1.1' in str(m),
         'who refused is named, and quoted', m)


def waits():
    wanted = (
        ('ann@dead.test', 'refused', 'all MX dead'),
        ('ann@failing.test', 'looked up', 'SERVFAIL'),
        ('ann@servfail.test', 'looked up', 'SERVFAIL for the MX'),
        ('ann@bogus.test', 'looked up', 'a bogus signature'),
        ('ann@backup.test', 'refused', 'the better MX dead, the next is us'))
    send(*(w[0] for w in wanted))

    def told():
        now = waiting()
        return all(words in now.get(who, '') for who, words, _ in wanted)
    until(told)
    now = waiting()
    for who, words, name in wanted:
        t.ok(words in now.get(who, ''), '%s: it waits, with the reason' % name,
             now.get(who))
        t.same(got[who], [], '%s: nobody got it' % name)
    t.ok(until(lambda: len(waiting()) == len(wanted)), 'nothing else waits',
         waiting())
    t.ok(not set(w[0] for w in wanted) & set(reports()), 'none came back')


def equals():
    to = ['u%d@equal.test' % i for i in range(EQUALS)]
    send(*to)
    t.ok(until(lambda: all(got[w] for w in to)), 'mail for equal MXs goes')
    t.same(sorted({got[w][0] for w in to}), ['127.0.0.2', '127.0.0.3'],
           'to both of them')
    t.same([w for w in to if len(got[w]) != 1], [], 'each letter once')


try:
    port = hosts()
    with Zones(ZONES) as z:
        instance('start', '--users', '1', '--resolver', z.resolver,
                 '--set', 'smtp-port=%d' % port,
                 '--set', 'relay-loopback=yes', '--set', 'relay-reuse=1',
                 '--set', 'dnssec=yes',
                 '--set', 'dns-trust-anchor=' + z.anchor)
        with open(os.path.join(top, 'env'), encoding='utf-8') as f:
            for row in f:
                key, _, value = row.strip().partition('=')
                env[key] = value.strip("'")
        with open(os.path.join(os.path.dirname(env['CONF']), 'maps',
                               'transport'), 'w', encoding='utf-8') as f:
            f.write('mapped.test relay:[127.0.0.6]:%d\n' % port)
        postern('map', 'transport')
        postern('reload')
        arrives()
        comes_back()
        waits()
        equals()
        instance('stop')
        t.ok(True, 'stop is clean')
finally:
    if os.environ.get('KEEP'):
        print('# kept ' + top)
    subprocess.run([os.path.join(TOP, 't', 'instance'), 'stop', top],
                   stderr=subprocess.DEVNULL)
    if not os.environ.get('KEEP'):
        shutil.rmtree(top, ignore_errors=True)
t.done()
