"""dns and a resolver that lies, stalls, dies and comes back: whoever asks gets
an answer in time, never one that is made of nonsense, and what was not
answered is "later".
"""
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, Tap
from asker import Asker
from zones import Liar, SERVFAIL, name_wire, reply

t = Tap()
A, CNAME, MX, TXT = 1, 5, 15, 16
ADDRESS = b'\xc0\0\2\1'


def mx(pref, wire):
    return struct.pack('>H', pref) + wire


class Stories:
    """What the resolver does, by the first label of the name."""

    def __init__(self):
        self.go = threading.Event()     # "stalls" waits for it
        self.dead = False

    def __call__(self, name, kind, packet, tcp):
        fn = getattr(self, 'do_' + name.split('.')[0], None)
        if self.dead:
            return None
        if fn is None:
            return reply(packet, 0, [(name, A, 60, ADDRESS)]
                         if kind == A else [])
        return fn(name, packet, tcp)

    @staticmethod
    def do_short(name, packet, tcp):
        answer = [(name, TXT, 60, b'\xff' + b'x' * 255)] * 20
        return reply(packet, 0, answer if tcp else [], 0 if tcp else 0x200)

    @staticmethod
    def do_refuses(_, packet, __):
        return reply(packet, 5)

    @staticmethod
    def do_fails(_, packet, __):
        return reply(packet, SERVFAIL)

    @staticmethod
    def do_garbage(_, packet, __):
        return packet[:2] + b'\x81\x80' + os.urandom(60)

    @staticmethod
    def do_cut(name, packet, _):
        return reply(packet, 0, [(name, A, 60, ADDRESS)])[:-3]

    @staticmethod
    def do_stranger(_, packet, __):
        return reply(packet, 0, [('other.test', A, 60, ADDRESS)])

    @staticmethod
    def do_evil(name, packet, __):
        bad = [b'\3a\nb\0', b'\3a\0b\0', b'\5a b.c\0', b'\4\xc3\xa4\xff.\0',
               b'\x0bfoo;rm -rf/\0', b'\3../\0']
        return reply(packet, 0, [(name, MX, 60, mx(i, w))
                                 for i, w in enumerate(bad)] +
                     [(name, MX, 60, mx(99, name_wire('good.test')))])

    @staticmethod
    def do_circle(name, packet, __):
        return reply(packet, 0, [(name, CNAME, 60, name_wire(name))])

    @staticmethod
    def do_poison(name, packet, __):
        return reply(packet, 0, [(name, A, 60, ADDRESS),
                                 ('victim.test', A, 60, b'\6\6\6\6')])

    def do_stalls(self, name, packet, _):
        self.go.wait(PATIENCE)
        return reply(packet, 0, [(name, A, 60, ADDRESS)])


def asked(liar, name):
    return len([1 for n, _, _ in liar.asked if n == name])


def lies(a, liar):
    got = a.get('TXT', 'short.test')
    t.ok(got.status == 'ok' and len(got.data()) == 20 and
         ('short.test', TXT, True) in liar.asked,
         'a truncated answer is asked for again by TCP', got)
    for name in ('refuses', 'fails', 'garbage', 'cut'):
        t.same(a.get('A', name + '.test').status, 'temp',
               'later: a resolver that ' + name)
    t.ok(a.get('A', 'stranger.test').status != 'ok',
         'the address of another name is none')
    got = a.get('MX', 'evil.test')
    t.same((got.status, got.mx()), ('ok', [(99, 'good.test')]),
           'of hosts with strange names only the good one')
    t.same(a.get('A', 'circle.test').status, 'temp', 'CNAMEs in a circle')
    a.get('A', 'poison.test')
    t.same(a.get('A', 'victim.test').data(), [ADDRESS],
           'what was not asked for is not believed')


def waits(a, stories, liar):
    a.configure(dns_timeout='60s')
    other = a.peer()
    many = [a.ask('A', 'stalls.test', peer) for peer in
            (a.relay, other) * 50]
    plain = a.get('A', 'quick.test')
    t.same(plain.status, 'ok', 'others do not wait behind one that stalls')
    gone = a.peer()
    lost = [a.ask('A', 'stalls.%d.test' % i, gone) for i in range(5)]
    gone.close()
    stories.go.set()
    got = a.wait(*many)
    t.ok(all(g and g.status == 'ok' for g in got),
         'a hundred who ask the same all get it')
    t.ok(asked(liar, 'stalls.test') < 30, 'by one question, and its '
         'repetitions: %d' % asked(liar, 'stalls.test'))
    t.ok(not any(n in a.answers for n in lost) and
         a.get('A', 'still.test').status == 'ok',
         'who goes away takes only his own questions along')


def until_known(a, name):
    for n in range(1200):
        got = a.get('A', name % n if '%' in name else name)
        if got.status == 'ok':
            break
        threading.Event().wait(0.1)
    return got


def impatient(a, stories):
    a.configure(dns_timeout='1s')
    stories.dead = True
    got = a.get('A', 'dead.test')
    t.same((got.status, got.why), ('temp', 'no name server answers in time'),
           'a resolver that is dead: later, after dns-timeout')
    a.configure(dns_timeout='5s') # all of them are asked in less
    flood = [a.ask('A', 'flood%d.test' % i) for i in range(3000)]
    got = a.wait(*flood)
    t.ok(all(g and g.status == 'temp' for g in got),
         'three thousand questions to it: all are answered')
    t.ok(any(g and g.why == 'too many questions at once' for g in got),
         'some of them at once')
    stories.dead = False
    t.same(until_known(a, 'again%d.test').status, 'ok',
           'it is back, and soon asked again')
    t.same(until_known(a, 'dead.test').data(), [ADDRESS],
           'also for what failed')


def other_resolvers(a, liar):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))        # hears all, says nothing
        a.configure(dns_timeout='60s',
                    resolver='127.0.0.1@%d' % s.getsockname()[1])
        waiting = [a.ask('A', 'moved%d.test' % i) for i in range(10)]
        s.recv(1000)                    # it is asked
        a.configure(resolver=liar.address)
        got = a.wait(*waiting)
    t.ok(all(g and g.status == 'ok' for g in got),
         'a new resolver is asked for what still waits for the old one', got)
    before = asked(liar, 'moved1.test')
    a.configure(dns_timeout='59s')
    a.get('A', 'moved1.test')
    t.same(asked(liar, 'moved1.test'), before,
           'another key leaves what is known in place')


def restarted(a, stories):
    stories.go.clear()
    waiting = [a.ask('A', 'stalls.again%d.test' % i) for i in range(3)]
    a.get('A', 'before.test')
    a.kill()
    stories.go.set()
    a.start()
    t.ok(not any(n in a.answers for n in waiting),
         'killed while questions wait: they are lost, as its peers see')
    t.same(a.get('A', 'after.test').status, 'ok', 'its successor answers')
    a.ask('A', 'a.test')
    a.relay.send(b'\0')
    a.wait(0) # which nobody answers: until all are closed
    t.ok(a.relay.fileno() == -1, 'who sends nonsense is cut off')
    a.relay = a.peer()
    t.same(a.get('A', 'after.test').status, 'ok', 'and may come back')
    t.same(a.stop(), (0, False), 'stop')


story = Stories()
server = Liar(story)
with Asker(resolver=server.address) as asker:
    lies(asker, server)
    waits(asker, story, server)
    impatient(asker, story)
    other_resolvers(asker, server)
    restarted(asker, story)
server.close()
t.done()
