"""house.py: a daemon under test, with this process as its master, its queue
and its auth. Speaks lib/ipc_setup.h, lib/ipc_mail.h and lib/ipc_auth.h,
written a second time on purpose, like t/wire.py.
"""
import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

from child import PATIENCE, conf_text, spawn, wait_ready
from wire import (AUTH, AUTH_IS, AUTHD, CERT, CONFIG, GO, LISTEN, LOGIN, MAP, QUEUE,
                  SMTPD, SPOOL_ABORT, SPOOL_IS, SPOOL_OPEN, STOP, SUBMIT,
                  SUBMIT_IS, Reader, send, send_files, send_peer, send_tally,
                  send_text, span, split, split_fds, u8, u32, u64)

DOMAIN = 'example.org'
USERS = ('user001', 'user002', 'o\'brien')
ALIASES = {
    'postmaster': 'user001@' + DOMAIN,
    'team': 'user001@%s,user002@%s' % (DOMAIN, DOMAIN),
    'round': 'about@' + DOMAIN,
    'about': 'round@' + DOMAIN,
    'nowhere': 'nobody-here@' + DOMAIN,
}

ROLES = {'smtpd': SMTPD, 'login': LOGIN, 'auth': AUTHD, 'queue': QUEUE}
SERVICES = {'smtpd': ('smtp', 'submission', 'submissions'),
            'login': ('pop3', 'pop3s', 'imap', 'imaps')}
PEERS = {'smtpd': ('queue', 'auth'), 'login': ('auth',)}
VERDICTS = ('ok', 'bad', 'later', 'limited', 'full')


def cdb_hash(key):
    h = 5381
    for c in key:
        h = (h * 33 ^ c) & 0xffffffff
    return h


def cdb_write(path, rows):
    """cr.yp.to/cdb/cdb.txt"""
    out, tables = bytearray(2048), [[] for _ in range(256)]
    for key, value in rows.items():
        key = key.encode()
        tables[cdb_hash(key) & 255].append((cdb_hash(key), len(out)))
        out += struct.pack('<II', len(key), len(value)) + key + value
    head = b''
    for table in tables:
        n = len(table) * 2
        slots = [(0, 0)] * n
        for h, at in table:
            i = (h >> 8) % n
            while slots[i][1]:
                i = (i + 1) % n
            slots[i] = (h, at)
        head += struct.pack('<II', len(out), n)
        for slot in slots:
            out += struct.pack('<II', *slot)
    out[:2048] = head
    with open(path, 'wb') as f:
        f.write(out)


CRC_TABLE = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x82f63b78 if _i & 1 else 0)
    CRC_TABLE.append(_i)


def crc32c(data):
    c = 0xffffffff
    for b in data:
        c = c >> 8 ^ CRC_TABLE[(c ^ b) & 255]
    return c ^ 0xffffffff


DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'


def qid_text(n):
    s = ''
    for _ in range(11):
        s = DIGITS[n % 62] + s
        n //= 62
    return s


def account(name):
    home = '/var/vmail/%s/%s' % (DOMAIN, name)
    return (u8(1) + u64(64000) + u64(64000) + span('%s@%s' % (name, DOMAIN)) +
            span('') + span('/var/vmail') + span(home + '/Maildir') +
            span(''))


class House:
    def __init__(self, program):
        self.program = program
        self.dir = tempfile.mkdtemp(prefix='postern-d.')
        self.settings = {
            'hostname': 'mx.' + DOMAIN, 'domains': DOMAIN,
            'trusted-networks': '192.0.2.1', 'log': 'stderr',
            'log-level': 'debug',
        }
        self.queue_says = ['250', '2.0.0', 'ok']
        self.spool_says = ['0', '', '']
        self.auth_says = ['ok']
        self.messages, self.asked, self.troubles = [], [], []
        self.spools = {}
        self.qid = 1000
        self.proc = None
        self.peers = {}
        self.listeners = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        shutil.rmtree(self.dir)

    def file(self, name):
        return os.path.join(self.dir, name)

    def certificate(self):
        cert = self.file('cert.pem')
        if not os.path.exists(cert):
            subprocess.run(
                ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650',
                 '-subj', '/CN=localhost',
                 '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                 '-keyout', self.file('key.pem'), '-out', cert],
                check=True, stderr=subprocess.DEVNULL)
        return cert

    def prepare(self):
        """All but GO: what listens has a backlog from here on."""
        for name in SERVICES[self.program]:
            s = socket.socket()
            s.bind(('127.0.0.1', 0))
            s.listen(1024)
            self.listeners[name] = s
        if self.program == 'smtpd':
            s = socket.socket(socket.AF_UNIX)
            s.bind(self.file('submit.sock'))
            s.listen(1024)
            self.listeners['local'] = s
        for s in self.listeners.values():
            s.setblocking(False)

    def connect(self, service):
        s = self.listeners[service]
        c = socket.socket(s.family)
        c.settimeout(PATIENCE)
        c.connect(s.getsockname())
        return c

    def maps(self):
        cdb_write(self.file('users.cdb'),
                  {'%s@%s' % (u, DOMAIN): account(u) for u in USERS})
        cdb_write(self.file('aliases.cdb'),
                  {k: v.encode() for k, v in ALIASES.items()})

    def start(self):
        self.log = open(self.file('log'), 'wb+')
        self.proc, self.master = spawn(self.program, ROLES[self.program],
                                       self.log)
        m = self.master
        self.maps()
        send_text(m, CONFIG, b'', conf_text(self.settings))
        for name, s in self.listeners.items():
            send(m, LISTEN, span(name) + span('test'), s.fileno())
        send_files(m, CERT, span('cert.pem'), self.certificate(),
                   self.file('key.pem'))
        for name in ('users', 'aliases') if self.program == 'smtpd' else ():
            send_files(m, MAP, span(name), self.file(name + '.cdb'))
        if 'login-client-connections' in self.settings:
            send_tally(m)
        for name in PEERS[self.program]:
            self.peer(name)
        send(m, GO)
        wait_ready(self.program, m, self.log_text)
        threading.Thread(target=self.serve, daemon=True).start()

    def peer(self, name):
        self.peers[name] = send_peer(self.master, ROLES[name])

    # --- the other side of its channels

    def serve(self):
        while True:
            socks = [s for s in self.peers.values() if s.fileno() != -1]
            try:
                ready, _, _ = select.select(socks, [], [], 0.05)
            except (OSError, ValueError):
                continue
            for s in ready:
                try:
                    data, anc, _, _ = s.recvmsg(1 << 20, 64)
                except OSError:
                    data = b''
                self.fds = split_fds(anc)
                if not data:
                    s.close()
                    continue
                try:
                    self.answer(s, data)
                except (ValueError, AssertionError) as e:
                    self.troubles.append('bad message: %r' % e)
                for fd in self.fds:
                    os.close(fd)

    def answer(self, sock, data):
        kind, num, body = split(data)
        r = Reader(body)
        fn = {SUBMIT: self.on_submit, SPOOL_OPEN: self.on_spool,
              SPOOL_ABORT: self.on_abort, AUTH: self.on_auth}[kind]
        got = fn(r)
        if r.data:
            raise ValueError('trailing bytes')
        if got is not None:
            kind, body, fds = got
            send(sock, kind, body, fds, num)
            for fd in fds:
                os.close(fd)

    def envelope(self, r):
        e = {'arrived': r.u64(), 'from': r.text(), 'sid': r.text(),
             'client': r.text(), 'helo': r.text(), 'protocol': r.text(),
             'login': r.text(), 'flags': r.u32()}
        e['rcpt'] = [r.text() for _ in range(r.u32())]
        return e

    def on_submit(self, r):
        qid, size, crc, id_at = r.u64(), r.u64(), r.u32(), r.u32()
        e = self.envelope(r)
        e['body'] = r.span()
        e['how'] = 'inline'
        if qid:
            e['how'] = 'file'
            with open(self.spools.pop(qid), 'rb') as f:
                e['body'] = f.read()
        if len(e['body']) != size or crc32c(e['body']) != crc:
            raise ValueError('size or checksum')
        # Its id is to stand in Received: the queue writes it over ours, smtpd
        # into the file.
        stands = id_at if not qid else e['body'].index(b' id ') + 4
        was = e['body'][stands:stands + 11]
        if was.decode() != (qid_text(qid) if qid else e['sid']):
            raise ValueError('not the id: %r' % was)
        self.messages.append(e)
        self.qid += 1
        if self.queue_says[0] == 'silent':
            return None
        code, enhanced, text = self.queue_says
        return SUBMIT_IS, (u64(qid or self.qid) + u32(int(code)) +
                           span(enhanced) + span(text)), ()

    def on_spool(self, r):
        self.envelope(r)
        r.u64()
        if self.spool_says[0] == 'silent':
            return None
        code, enhanced, text = self.spool_says
        self.qid += 1
        head = u64(self.qid) + u32(int(code)) + span(enhanced) + span(text)
        if code != '0':
            return SPOOL_IS, head, ()
        path = self.file('spool.%d' % self.qid)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.spools[self.qid] = path
        return SPOOL_IS, head, (fd,)

    def on_abort(self, r):
        if self.spools.pop(r.u64(), None) is None:
            raise ValueError('abort of what is not there')

    def on_auth(self, r):
        _service, authzid, authcid, password = (r.span() for _ in range(4))
        r.span()
        r.span()
        given = r.span()
        tag = r.span()
        if len(self.fds) != (self.program == 'login'):
            raise ValueError('%d descriptors' % len(self.fds))
        self.asked.append([authzid, authcid, password])
        says = self.auth_says[0]
        if says == 'silent':
            return None
        if says == 'ok' and password != b'secret':
            says = 'bad'
        if says == 'ok' and self.fds:
            sock = socket.socket(fileno=self.fds.pop())
            threading.Thread(target=self.session_safely,
                             args=(sock, given, tag), daemon=True).start()
        if b'@' not in authcid:
            authcid += b'@' + DOMAIN.encode()
        return AUTH_IS, (u32(VERDICTS.index(says)) + span(authcid) +
                         span('')), ()

    def session_safely(self, sock, given, tag):
        try:
            self.session(sock, given, tag)
        except OSError:
            sock.close()

    @staticmethod
    def session(sock, given, tag):
        """In place of pop3d, imapd: repeats each line; BULK n; DIE; QUIT."""
        sock.setblocking(True)
        sock.sendall((tag + b' OK' if tag else b'+OK') + b' session\r\n')
        got = given
        while True:
            while b'\r\n' not in got:
                more = sock.recv(65536)
                if not more:
                    sock.sendall(b'+OK saw the end\r\n')
                    sock.close()
                    return
                got += more
            line, got = got.split(b'\r\n', 1)
            if line == b'DIE':
                sock.close()
                return
            if line.startswith(b'BULK '):
                sock.sendall(b'b' * int(line[5:]) + b'\r\n')
                continue
            sock.sendall(b'+OK ' + line + b'\r\n')
            if line == b'QUIT':
                sock.close()
                return

    # --- what a dialogue may ask for

    def do(self, what):
        if what in ('stop', 'drain'):
            send(self.master, STOP, ident=1 if what == 'stop' else 0)
        elif what in ('queue-gone', 'auth-gone'):
            name = what.split('-')[0]
            self.peers[name].shutdown(socket.SHUT_RDWR)
        elif what in ('queue-back', 'auth-back'):
            self.peer(what.split('-')[0])
        elif what == 'map-damaged':
            with open(self.file('bad.cdb'), 'wb') as f:
                f.write(b'x' * 100)
            send_files(self.master, MAP, span('users'), self.file('bad.cdb'))
        else:
            raise SystemExit('unknown H: %s' % what)

    def finish(self):
        """Stops it; what went wrong."""
        if self.proc is None:
            return []
        try:
            send(self.master, STOP, ident=1)
        except OSError:
            pass
        try:
            status = self.proc.wait(PATIENCE)
            if status != 0:
                self.troubles.append('exit status %d' % status)
        except subprocess.TimeoutExpired:
            self.troubles.append('does not stop')
        for line in self.log_lines():
            if 'Sanitizer' in line or 'runtime error' in line:
                self.troubles.append(line)
        return self.troubles

    def log_text(self):
        with open(self.file('log'), 'rb') as f:
            return f.read().decode('latin-1')

    def log_lines(self):
        return self.log_text().splitlines()
