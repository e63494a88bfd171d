#!/usr/bin/env python3
"""zones: real name servers on loopback, made of a short text.

    with Zones('''
        zone example.test
        @       MX 10 mx
        mx      A 192.0.2.1
        zone signed.test signed
        @       MX 10 mx.example.test.
        zone bogus.test bogus
        @       MX 10 mx.example.test.
    ''') as z:
        z.resolver      "127.0.0.1@PORT", an unbound that validates
        z.anchor        a file: what it trusts, for dns-trust-anchor
        z.authority     "127.0.0.1@PORT", the knotd that has the zones
        z.set(text), z.stop_resolver(), z.start_resolver(), z.flush()

Records are those of a master file with the zone as origin; SOA and NS are
added. "signed": with keys of its own, which the anchor names. "bogus": the
anchor names another key, so nothing in it validates.
Names below failing.test get SERVFAIL, those below silent.test no answer.
Names of no zone do not exist; nothing leaves this host.

From a shell: t/zones.py FILE DIR writes DIR/env with RESOLVER, ANCHOR and
AUTHORITY when all is up, and serves until it is killed (TERM).
"""
import ctypes
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from child import PATIENCE

SERVFAIL = 2
FREE_PORTS = 28500, 32700  # t/instance has those below
SOA = ('@ SOA ns.nowhere.test. root.nowhere.test. 1 3600 600 86400 60\n'
       '@ NS ns.nowhere.test.\n')


def tool(name):
    return shutil.which(name, path=os.environ.get('PATH', '') +
                        ':/usr/local/sbin:/usr/sbin:/sbin')


def die_with_parent():
    """A test that is killed leaves no server behind (Linux)."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def lacking():
    """What is not installed, or ''."""
    return ' '.join(n for n in ('knotd', 'keymgr', 'unbound') if not tool(n))


def free_port():
    """One that is free for UDP and TCP, and of none that the system gives to
    whoever asks for any: so it can be taken again after a while."""
    for _ in range(100):
        port = random.randrange(*FREE_PORTS)
        with socket.socket() as t, socket.socket(
                socket.AF_INET, socket.SOCK_DGRAM) as u:
            t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                t.bind(('127.0.0.1', port))
                u.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
    raise OSError('no free port')


def free_ports(n):
    got = set()
    while len(got) < n:
        got.add(free_port())
    return got


# --- the least of the protocol (RFC 1035), for servers that misbehave

def name_wire(name):
    return b''.join(bytes([len(x)]) + x.encode('latin-1')
                    for x in name.strip('.').split('.') if x) + b'\0'


def question(packet):
    """(name, type, the question's bytes)"""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode('latin-1'))
        at += 1 + packet[at]
    kind = struct.unpack('>H', packet[at + 1:at + 3])[0]
    return '.'.join(labels).lower(), kind, packet[12:at + 5]


def reply(packet, rcode=0, answers=(), flags=0):
    """answers: (owner, type, ttl, rdata)"""
    q = question(packet)[2]
    out = packet[:2] + struct.pack('>HHHHH', 0x8180 | flags | rcode, 1,
                                   len(answers), 0, 0) + q
    for owner, kind, ttl, data in answers:
        out += (name_wire(owner) + struct.pack('>HHIH', kind, 1, ttl,
                                               len(data)) + data)
    return out


class Liar:
    """A name server that does what fn(name, type, packet, tcp) says: the
    bytes of its answer, or None."""

    def __init__(self, fn):
        self.fn = fn
        self.asked = []
        for _ in range(100):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.tcp = socket.socket()
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.udp.bind(('127.0.0.1', 0))
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(1024)
        self.port = self.udp.getsockname()[1]
        self.address = '127.0.0.1@%d' % self.port
        for fn in self.serve_udp, self.serve_tcp:
            threading.Thread(target=fn, daemon=True).start()

    def answer(self, packet, tcp):
        name, kind, _ = question(packet)
        self.asked.append((name, kind, tcp))
        return self.fn(name, kind, packet, tcp)

    def serve_udp(self):
        while True:
            try:
                packet, who = self.udp.recvfrom(65536)
                if len(packet) < 12:
                    return
            except OSError:
                return
            threading.Thread(target=self.answer_udp, args=(packet, who),
                             daemon=True).start()

    def answer_udp(self, packet, who):
        out = self.answer(packet, False)
        try:
            if out is not None:
                self.udp.sendto(out, who)
        except OSError:
            pass

    def serve_tcp(self):
        while True:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(c,),
                             daemon=True).start()

    def serve_one(self, c):
        with c, c.makefile('rb') as f:
            try:
                while True:
                    head = f.read(2)
                    if len(head) < 2:
                        return
                    packet = f.read(struct.unpack('>H', head)[0])
                    out = self.answer(packet, True)
                    if out is not None:
                        c.sendall(struct.pack('>H', len(out)) + out)
            except OSError:
                return

    def close(self):
        for s in self.udp, self.tcp:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


# --- the real ones

def parse(text):
    """[(zone, word, records)]"""
    zones = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ['zone']:
            zones.append([words[1].lower(), ''.join(words[2:3]), []])
        elif words and not words[0].startswith(';'):
            # An owner is needed in each line: indentation means nothing.
            zones[-1][2].append(' '.join(words))
    return zones


class Zones:
    def __init__(self, text, where=None):
        self.dir = where or tempfile.mkdtemp(prefix='postern-z.')
        self.mine = where is None
        self.procs = {}
        self.zones = parse(text)
        self.anchor = self.file('anchor')
        self.liar = Liar(self.misbehave)
        os.makedirs(self.file('knot'), exist_ok=True)
        try:
            self.start_authority()
            self.write('anchor', ''.join(self.ds_of(*z[:2])
                                         for z in self.zones if z[1]))
            self.start_resolver()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for name in list(self.procs):
            self.stop(name)
        self.liar.close()
        if self.mine:
            shutil.rmtree(self.dir, ignore_errors=True)

    def file(self, *name):
        return os.path.join(self.dir, *name)

    def write(self, name, text):
        with open(self.file(name), 'w', encoding='latin-1') as f:
            f.write(text)

    @staticmethod
    def misbehave(name, _kind, packet, _tcp):
        if name == 'failing.test' or name.endswith('.failing.test'):
            return reply(packet, SERVFAIL)
        return None

    # --- processes

    def run(self, name, argv, port):
        """False: it ended, as when somebody else took the port."""
        with open(self.file(name + '.log'), 'ab') as log:
            self.procs[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.procs[name].poll() is not None:
                del self.procs[name]
                return False
            if self.answers(port) and self.procs[name].poll() is None:
                return True
            time.sleep(0.02)
        raise OSError('%s does not answer' % name)

    @staticmethod
    def answers(port):
        q = b'\0\1\1\0\0\1\0\0\0\0\0\0' + name_wire('up.test') + b'\0\1\0\1'
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(1)
            try:
                u.connect(('127.0.0.1', port))
                u.send(q)
                return len(u.recv(4096)) >= 12
            except OSError:
                return False

    def stop(self, name):
        p = self.procs.pop(name, None)
        if p is not None:
            p.kill()
            p.wait()

    def start_some(self, name, argv, config):
        for _ in range(20):
            port = free_port()
            self.write(name + '.conf', config(port))
            if self.run(name, argv, port):
                return port
        with open(self.file(name + '.log'), encoding='latin-1') as f:
            raise OSError('%s does not start: %s' % (name, f.read()[-2000:]))

    # --- the authority

    def zone_files(self):
        for name, _, records in self.zones:
            self.write(name + '.zone', '$ORIGIN %s.\n$TTL 300\n%s%s\n' % (
                name, SOA, '\n'.join(records)))

    def knot_conf(self, port):
        # Flushed to nowhere: the files stay as they were written.
        c = ('server:\n    rundir: %s\n    listen: 127.0.0.1@%d\n'
             'database:\n    storage: %s\n'
             'log:\n  - target: stderr\n    any: warning\n'
             'policy:\n  - id: p\n    single-type-signing: on\n'
             '    algorithm: ecdsap256sha256\n'
             'template:\n  - id: default\n    storage: %s\n'
             '    zonefile-sync: -1\n    zonefile-load: whole\n'
             '    journal-content: none\n' % (
                 self.file('knot'), port, self.file('knot'), self.dir))
        c += 'zone:\n'
        for name, word, _ in self.zones + [['test', '', []]]:
            c += '  - domain: %s\n    file: %s.zone\n' % (name, name)
            if word:
                c += '    dnssec-signing: on\n    dnssec-policy: p\n'
        return c

    def start_authority(self):
        self.zone_files()
        self.write('test.zone', '$ORIGIN test.\n$TTL 300\n' + SOA)
        self.authority_port = self.start_some(
            'knotd', [tool('knotd'), '-c', self.file('knotd.conf')],
            self.knot_conf)
        self.authority = '127.0.0.1@%d' % self.authority_port

    def ds_of(self, zone, word):
        out = subprocess.run(
            [tool('keymgr'), '-c', self.file('knotd.conf'), zone, 'ds'],
            check=True, capture_output=True, text=True).stdout
        line = [x for x in out.splitlines() if x.split()[4] == '2'][0]
        if word == 'bogus':
            d = line.split()[-1]
            line = line[:-len(d)] + d.translate(
                str.maketrans('0123456789abcdefABCDEF',
                              '1032547698badcfeBADCFE'))
        owner, rest = line.split(None, 1)
        return '%s IN %s\n' % (owner, rest.replace('IN ', '', 1))

    def set(self, text):
        """Other records from now on; the same zones, signed as they were."""
        self.zones = parse(text)
        self.zone_files()
        port = self.authority_port
        self.stop('knotd')
        if not self.run('knotd', [tool('knotd'), '-c',
                                  self.file('knotd.conf')], port):
            raise OSError('knotd does not start again')

    # --- the resolver

    def unbound_conf(self, port):
        c = ('server:\n    interface: 127.0.0.1@%d\n    port: %d\n'
             '    do-daemonize: no\n    use-syslog: no\n    verbosity: 1\n'
             '    chroot: ""\n    username: ""\n    directory: "%s"\n'
             '    pidfile: ""\n    num-threads: 1\n'
             '    do-not-query-localhost: no\n'
             '    access-control: 127.0.0.0/8 allow\n'
             '    unblock-lan-zones: yes\n    insecure-lan-zones: yes\n'
             '    local-zone: "test." nodefault\n'
             '    local-zone: "." static\n' % (port, port, self.dir))
        if os.path.getsize(self.anchor):
            c += '    trust-anchor-file: "%s"\n' % self.anchor
        stubs = [(z[0], self.authority_port) for z in self.zones]
        stubs += [('test', self.authority_port),
                  ('failing.test', self.liar.port),
                  ('silent.test', self.liar.port)]
        for zone, _ in stubs:
            c += '    local-zone: "%s." transparent\n' % zone
        c += 'remote-control:\n    control-enable: no\n'
        for zone, to in stubs:
            c += ('stub-zone:\n    name: "%s."\n'
                  '    stub-addr: 127.0.0.1@%d\n' % (zone, to))
        return c

    def unbound(self):
        """A profile of AppArmor lets the installed one see only its own."""
        try:
            with open('/sys/module/apparmor/parameters/enabled') as f:
                if f.read().strip() != 'Y':
                    return tool('unbound')
        except OSError:
            return tool('unbound')
        copy = self.file('unbound')
        if not os.path.exists(copy):
            shutil.copy(tool('unbound'), copy)
        return copy

    def start_resolver(self):
        argv = [self.unbound(), '-d', '-c', self.file('unbound.conf')]
        if hasattr(self, 'resolver'):
            if not self.run('unbound', argv, self.resolver_port):
                raise OSError('unbound does not start again')
            return
        self.resolver_port = self.start_some('unbound', argv,
                                             self.unbound_conf)
        self.resolver = '127.0.0.1@%d' % self.resolver_port

    def stop_resolver(self):
        self.stop('unbound')

    def flush(self):
        """What it has kept is forgotten."""
        self.stop_resolver()
        self.start_resolver()


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: t/zones.py FILE DIR')
    if lacking():
        sys.exit('zones: not installed: ' + lacking())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(sys.argv[1], encoding='latin-1') as f:
        text = f.read()
    os.makedirs(sys.argv[2], exist_ok=True)
    with Zones(text, sys.argv[2]) as z:
        z.write('env.new', 'RESOLVER=%s\nANCHOR=%s\nAUTHORITY=%s\n' % (
            z.resolver, z.anchor, z.authority))
        os.rename(z.file('env.new'), z.file('env'))
        signal.pause()


if __name__ == '__main__':
    main()
