"""asker: the real dns process in a house of python; the test is master and
relay. One thread; answers come when wait() is called.
"""
import os
import select
import shutil
import struct
import tempfile
import time

from child import PATIENCE, conf_text, spawn, wait_ready, written
from wire import (CONFIG, DNS, DNS_IS, DNSD, GO, MAP, RELAY, STOP, Reader, send,
                  send_peer, send_text, span, split, u32)

TYPES = {'A': 1, 'CNAME': 5, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28,
         'TLSA': 52}
STATUS = ('ok', 'nodata', 'nxdomain', 'temp', 'bad')
CONF = {'hostname': 'mx.example.org', 'domains': 'example.org',
        'log': 'stderr', 'log-level': 'debug', 'resolver': '127.0.0.1@1',
        'dnssec': 'no', 'dns-timeout': '60s'}


class Answer:
    def __init__(self, packet):
        r = Reader(packet)
        self.status = STATUS[r.u32()]
        self.secure = bool(r.u32())
        self.ttl = r.u32()
        self.canonical, self.why = r.text(), r.text()
        self.records = []
        for _ in range(r.u32()):
            head = struct.unpack('>HBBB', r.take(5))
            self.records.append((head, r.span()))
        assert not r.data

    def mx(self):
        return [(h[0], d.decode()) for h, d in self.records]

    def data(self):
        return [d for _, d in self.records]

    def __repr__(self):
        return '%s secure=%d ttl=%d %s %r why=%r' % (
            self.status, self.secure, self.ttl, self.canonical,
            self.records[:3], self.why)


class Asker:
    def __init__(self, resolv='', anchor='', wrap=(), **conf):
        self.wrap = list(wrap)
        self.dir = tempfile.mkdtemp(prefix='postern-a.')
        self.conf = dict(CONF)
        self.conf.update({k.replace('_', '-'): v for k, v in conf.items()})
        self.texts = {'resolv.conf': resolv, 'trust-anchor': anchor}
        self.number = 0
        self.logged = ''
        self.proc = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.dir)

    # --- its life

    def start(self):
        self.answers, self.peers, self.relay = {}, [], None
        self.log = open(os.path.join(self.dir, 'log'), 'wb+')
        self.proc, self.master = spawn('dns', DNSD, self.log, self.wrap)
        self.configure()
        for name in self.texts:
            self.give(name)
        send(self.master, GO)
        self.relay = self.peer()
        wait_ready('dns', self.master, self.log_so_far)

    def configure(self, **conf):
        self.conf.update({k.replace('_', '-'): v for k, v in conf.items()})
        send_text(self.master, CONFIG, b'', conf_text(self.conf))
        self.settle()

    def give(self, name, text=None):
        """A text of the system, as master hands it over; '': none."""
        self.texts[name] = self.texts[name] if text is None else text
        if self.texts[name]:
            send_text(self.master, MAP, span(name), self.texts[name])
        else:
            send(self.master, MAP, span(name))
        self.settle()

    def settle(self):
        """What is asked from now on finds in force what was given: it comes
        over a channel that was given later."""
        if self.relay is not None:
            self.relay = self.peer()

    def peer(self):
        """A channel as relay has one."""
        self.peers.append(send_peer(self.master, RELAY, len(self.peers)))
        return self.peers[-1]

    def log_so_far(self):
        return self.logged + written(self.log)

    def kill(self):
        if self.proc is None:
            return
        self.proc.kill()
        self.proc.wait()
        self.logged = self.log_so_far()
        for s in [self.master, self.log] + self.peers:
            s.close()
        self.proc = None

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        """The exit status, and what a sanitizer had to say."""
        send(self.master, STOP, ident=1)
        status = self.proc.wait(PATIENCE)
        log = self.log_so_far()
        return status, 'Sanitizer' in log or 'runtime error' in log

    # --- what is said

    def ask(self, kind, name, peer=None):
        """The number of the question."""
        self.number += 1
        send(peer or self.relay, DNS, u32(TYPES.get(kind, kind)) + span(name),
             ident=self.number)
        return self.number

    def wait(self, *numbers, wait=PATIENCE):
        """The answers to these; None: there was none."""
        end = time.monotonic() + wait
        while not all(n in self.answers for n in numbers):
            left = end - time.monotonic()
            socks = [s for s in self.peers if s.fileno() != -1]
            if left < 0 or not socks:
                break
            for s in select.select(socks, [], [], left)[0]:
                packet = s.recv(1 << 20)
                if not packet:
                    s.close()
                    continue
                kind, ident, body = split(packet)
                assert kind == DNS_IS
                self.answers[ident] = Answer(body)
        got = [self.answers.get(n) for n in numbers]
        return got[0] if len(got) == 1 else got

    def get(self, kind, name):
        return self.wait(self.ask(kind, name))
