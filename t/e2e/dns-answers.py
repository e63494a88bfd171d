"""dns asks real name servers: each kind of answer, and of no answer, is told
apart; what is bogus never looks like what does not exist.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from asker import Asker
from zones import Zones, lacking

if lacking():
    print('1..0 # SKIP not installed: ' + lacking())
    sys.exit(0)
t = Tap()
TXT = ' '.join('"%s"' % (chr(97 + i % 26) * 250) for i in range(12))
ZONES = '''
zone example.test
@       MX 20 mx2
@       MX 10 MX1
@       TXT "v=spf1" " -all"
mx1     A 192.0.2.1
mx1     A 192.0.2.2
mx1     AAAA 2001:db8::1
mx2     A 192.0.2.3
www     CNAME web
web     CNAME web.signed.test.
lost    CNAME nowhere
round   CNAME about
about   CNAME round
null    MX 0 .
long    TXT %s
odd     MX 10 a\\032b
odd     MX 20 mx2
worse   MX 10 a\\032b
c1      CNAME c2
c2      CNAME c3
c3      CNAME mx2
%s
zone signed.test signed
@       MX 10 mx
mx      A 192.0.2.9
web     A 192.0.2.8
out     CNAME mx1.example.test.
_25._tcp.mx TLSA 3 1 1 %s
zone bogus.test bogus
@       MX 10 mx
mx      A 192.0.2.7
zone 2.0.192.in-addr.arpa
1       PTR mx1.example.test.
2       CNAME 2.0/25
2.0/25  PTR mx2.example.test.
zone 8.b.d.0.1.0.0.2.ip6.arpa
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx1.example.test.
''' % (TXT, '\n'.join('many MX %d m%d' % (i, i) for i in range(150, 0, -1)),
       'ab' * 32)


def unsigned(a):
    m = a.get('MX', 'Example.TEST')
    t.same((m.status, sorted(m.mx()), m.secure),
           ('ok', [(10, 'mx1.example.test'), (20, 'mx2.example.test')],
            False), 'MX, in lower case, not secure')
    t.ok(240 < m.ttl <= 300 and m.canonical == 'example.test',
         'its TTL and name', m) # seconds may have passed
    t.same(sorted(a.get('A', 'mx1.example.test').data()),
           [b'\xc0\0\2\1', b'\xc0\0\2\2'], 'two addresses')
    t.same(a.get('AAAA', 'mx1.example.test').data(),
           [b'\x20\1\x0d\xb8' + b'\0' * 11 + b'\1'], 'one of IPv6')
    t.same(a.get('TXT', 'example.test').data(), [b'v=spf1 -all'],
           'strings are joined')
    t.same(a.get('PTR', '192.0.2.1').data(), [b'mx1.example.test'], 'PTR')
    t.same(a.get('PTR', '192.0.2.2').data(), [b'mx2.example.test'],
           'PTR, delegated as RFC 2317 has it')
    t.same(a.get('PTR', '2001:db8::1').data(), [b'mx1.example.test'],
           'PTR of IPv6')
    got = a.get('MX', 'null.example.test')
    t.same((got.status, got.mx()), ('ok', [(0, '')]), 'null MX')
    got = a.get('MX', 'many.example.test')
    t.same(got.mx(), [(i, 'm%d.example.test' % i) for i in range(1, 65)],
           'of 150 MX the best 64')
    got = a.get('TXT', 'long.example.test')
    t.ok(got.status == 'ok' and len(got.data()[0]) == 3000,
         'a long TXT, which needs TCP')
    t.same(a.get('MX', 'odd.example.test').mx(), [(20, 'mx2.example.test')],
           'a host with a blank in its name is left out')
    got = a.get('MX', 'worse.example.test')
    t.same((got.status, got.why), ('temp', 'no usable record in the answer'),
           'and if there is no other, that is not "none"')
    got = a.get('A', 'c1.example.test')
    t.same((got.data(), got.canonical), ([b'\xc0\0\2\3'],
                                         'mx2.example.test'),
           'a chain of CNAMEs is followed')
    t.same(a.get('CNAME', 'c1.example.test').data(), [b'c2.example.test'],
           'but not if a CNAME was asked for')


def nothing(a):
    got = a.get('AAAA', 'mx2.example.test')
    t.same(got.status, 'nodata', 'no such record')
    t.ok(30 < got.ttl <= 60, 'for as long as the zone says', got.ttl)
    got = a.get('MX', 'nowhere.example.test')
    t.same(got.status, 'nxdomain', 'no such name')
    t.ok(30 < got.ttl <= 60, 'for as long as the zone says', got.ttl)
    got = a.get('A', 'lost.example.test')
    t.same((got.status, got.canonical), ('nxdomain', 'nowhere.example.test'),
           'an alias for no such name')
    got = a.get('A', 'round.example.test')
    t.same(got.status, 'temp', 'CNAMEs in a circle')
    got = a.get('MX', 'x.failing.test')
    t.same(got.status, 'temp', 'SERVFAIL')
    for name in ('', 'a..b', 'a.', 'a b', 'x' * 64 + '.test', '0/1.test',
                 'f\u00fcr.test'):
        t.same(a.get('A', name).status, 'bad', 'cannot be asked: %r' % name)
    t.same(a.get('PTR', 'example.test').status, 'bad', 'nor a name as PTR')
    t.same(a.get(255, 'example.test').status, 'bad', 'nor any type')


def signed(a):
    got = a.get('MX', 'signed.test')
    t.same((got.status, got.secure), ('ok', True), 'signed: secure')
    got = a.get('TLSA', '_25._tcp.mx.signed.test')
    t.same((got.secure, got.records), (True, [((0, 3, 1, 1), b'\xab' * 32)]),
           'TLSA')
    got = a.get('TLSA', '_26._tcp.mx.signed.test')
    t.same((got.status, got.secure), ('nxdomain', True),
           'that there is none is secure, too')
    got = a.get('AAAA', 'mx.signed.test')
    t.same((got.status, got.secure), ('nodata', True), 'and no data')
    got = a.get('A', 'www.example.test')
    t.same((got.data(), got.secure, got.canonical),
           ([b'\xc0\0\2\x08'], False, 'web.signed.test'),
           'an alias that nobody signed makes what it leads to insecure')
    got = a.get('A', 'out.signed.test')
    t.same((got.status, got.secure), ('ok', False),
           'so does one that leads out')
    got = a.get('MX', 'bogus.test')
    t.ok(got.status == 'temp' and 'bogus.test' in got.why,
         'bogus: later, and the reason', got)
    t.same(a.get('MX', 'nowhere.bogus.test').status, 'temp',
           'also where there may be nothing')


with Zones(ZONES) as z:
    with open(z.anchor, encoding='ascii') as f:
        anchor = f.read()
    with Asker(resolver=z.resolver, dnssec='yes', anchor=anchor) as a:
        unsigned(a)
        nothing(a)
        signed(a)
        t.same(a.stop(), (0, False), 'stop')
    comments = '; trusted\n\n' + ''.join(
        line + ' ;;state=2 [ VALID ]\n' for line in anchor.splitlines())
    with Asker(resolver=z.resolver, anchor=comments, dnssec='auto') as a:
        t.ok(a.get('MX', 'signed.test').secure,
             'auto, with a trust anchor that has comments')
        a.give('trust-anchor', anchor.replace('13 2', '13 2 xyzzy'))
        got = a.get('MX', 'signed.test')
        t.same((got.status, got.secure), ('temp', False),
               'a trust anchor that cannot be read: nothing is believed')
        a.give('trust-anchor', anchor)
        t.ok(a.get('MX', 'signed.test').secure, 'a better one is taken')
    revoked = anchor.replace('\n', ' ;;state=4 [ REVOKED ]\n')
    with Asker(resolver=z.resolver, dnssec='yes', anchor=revoked) as a:
        got = a.get('MX', 'example.test')
        t.same((got.status, got.why), (
            'temp', 'there is no trust anchor; see dns-trust-anchor'),
               'dnssec = yes and no key that counts: nothing is looked up')
        a.configure(dnssec='auto')
        got = a.get('MX', 'bogus.test')
        t.same((got.status, got.secure), ('temp', False),
               'the resolver may still know better')
    with Asker(resolver=z.authority, dnssec='no', anchor=anchor) as a:
        got = a.get('MX', 'signed.test')
        t.same((got.status, got.secure), ('ok', False),
               'dnssec = no: nothing is secure')
        t.same(a.get('MX', 'bogus.test').status, 'ok', 'or bogus')
t.done()
