"""carrier: the real relay process in a house of python.

The test is master, queue and dns, and all the other hosts: it hands in jobs,
answers look-ups from a table, and lets scripted servers on loopback addresses
say what a case wants. pump() serves the channels until a condition holds; each
server has a thread a connection.
"""
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

from child import PATIENCE, conf_text, spawn, wait_ready
from house import cdb_write
from wire import (CONFIG, CONNECT, CONNECT_IS, DNS, DNS_IS, DNSD, GO, JOB, JOB_IS,
                  MAP, PEER_LOST, PONG, QUEUE, RELAY, STOP, Reader, send,
                  send_files, send_peer, send_tally, send_text, span, split, u32, u64)

MX, HOST, LMTP, LMTP_UNIX = 1, 2, 3, 4
A, MXRR, AAAA = 1, 15, 28
OK, NODATA, NXDOMAIN, TEMP, BAD = range(5)
CLOSE, HANG, RESET = object(), object(), object()
CONF = {'hostname': 'client.test', 'domains': 'client.test', 'log': 'stderr',
        'log-level': 'debug', 'relay-loopback': 'yes',
        'listen-smtp': '127.0.0.1:1', 'relay-idle-timeout': '0'}


def certificate(where, name, *alts):
    """name.pem and name.key, self-signed; its own authority."""
    path = os.path.join(where, name + '.pem')
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650',
         '-subj', '/CN=' + name, '-addext',
         'subjectAltName=' + ','.join('DNS:' + a for a in alts),
         '-keyout', path[:-4] + '.key', '-out', path],
        check=True, stderr=subprocess.DEVNULL)
    return path


class Talk:
    """One connection to a scripted server."""

    def __init__(self, server, sock):
        self.server, self.sock, self.buf = server, sock, b''
        self.says = server.says
        self.sock.settimeout(PATIENCE)
        self.commands, self.tls = [], False
        self.body = None
        self.taken = []

    def line(self):
        while b'\n' not in self.buf:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError
            self.buf += got
        line, self.buf = self.buf.split(b'\n', 1)
        if not line.endswith(b'\r'):
            self.server.troubles.append('bare LF in %r' % line)
        return line.rstrip(b'\r')

    def data(self):
        out = []
        while True:
            line = self.line()
            if line == b'.':
                return b''.join(out)
            out.append((line[1:] if line[:1] == b'.' else line) + b'\n')

    def say(self, what):
        if callable(what):
            what = what(self)
        if what is None:
            return
        if what is CLOSE:
            raise EOFError
        if what is RESET:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack('ii', 1, 0))
            raise EOFError
        if what is HANG:
            while self.sock.recv(65536):
                pass
            raise EOFError
        if isinstance(what, str):
            what = what.encode('latin-1')
            if not what.endswith(b'\r\n'):
                what = what.replace(b'\n', b'\r\n') + b'\r\n'
        if self.server.drip:
            for i in range(len(what)):
                self.sock.sendall(what[i:i + 1])
        else:
            self.sock.sendall(what)

    def starttls(self):
        self.sock = self.server.context.wrap_socket(self.sock,
                                                    server_side=True)
        self.tls = True

    def command(self, line):
        s, says = self.server, self.says
        verb = line.split(b' ')[0].upper().decode('latin-1')
        self.commands.append(line.decode('latin-1'))
        if verb == 'RCPT':
            reply = says.get(line[9:].split(b'>')[0].lower().decode(),
                             says['RCPT'])
            reply = reply(self) if callable(reply) else reply
            if isinstance(reply, str) and reply[0] == '2':
                self.taken.append(line)
            self.say(reply)
            return
        if verb == 'MAIL':
            self.taken = []
        if verb in ('EHLO', 'LHLO') and self.tls and 'EHLO tls' in says:
            verb = 'EHLO tls'
        elif verb == 'LHLO':
            verb = 'EHLO'
        reply = says.get(verb, '500 what')
        reply = reply(self) if callable(reply) else reply
        self.say(reply)
        if verb == 'STARTTLS' and isinstance(reply, str) and reply[0] == '2':
            self.starttls()
        elif verb == 'DATA' and isinstance(reply, str) and reply[:3] == '354':
            self.body = self.data()
            self.commands.append('.')
            s.bodies.append(self.body)
            for rcpt in self.taken if s.lmtp else [b'']:
                dot = says['dot']
                if isinstance(dot, dict):
                    dot = dot[rcpt[9:].split(b'>')[0].decode()]
                self.say(dot)
        elif verb == 'AUTH' and isinstance(reply, str) and reply[0] == '3':
            self.commands.append(self.line().decode())
            self.say('334 UGFzc3dvcmQ6')
            self.commands.append(self.line().decode())
            self.say(says['password'])
        elif verb == 'QUIT':
            raise EOFError

    def run(self):
        self.known.wait()
        try:
            if self.server.wrapped:
                self.starttls()
            self.say(self.says['greeting'])
            while True:
                self.command(self.line())
        except (EOFError, OSError, ssl.SSLError):
            pass
        finally:
            self.sock.close()

    def start(self):
        self.known = threading.Event() # to the test, before a word is said
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def end(self):
        """Hangs up; nothing more is heard, said or noted when it returns."""
        try: # that of the socket itself, also under TLS
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()


class Server:
    """What it says is a table; a value is a reply, CLOSE, HANG, RESET, or a
    function of the Talk that returns one of these, or None. A connection
    keeps the table that was there when it began."""

    def __init__(self, address, port=0, lmtp=False, path=None):
        self.says = {
            'greeting': '220 %s ESMTP' % address,
            'EHLO': '250-server\n250-PIPELINING\n250-SIZE 1000000\n'
                    '250 8BITMIME',
            'HELO': '250 server', 'MAIL': '250 2.1.0 sender ok',
            'RCPT': '250 2.1.5 recipient ok', 'DATA': '354 go on',
            'dot': '250 2.0.0 taken as 1', 'RSET': '250 2.0.0 ok',
            'QUIT': '221 2.0.0 bye', 'STARTTLS': '220 2.0.0 go on',
            'AUTH': '235 2.7.0 welcome', 'password': '235 2.7.0 welcome'}
        self.lmtp, self.drip, self.wrapped = lmtp, False, False
        self.context = None
        self.talks, self.bodies, self.troubles = [], [], []
        self.sock = socket.socket(
            socket.AF_UNIX if path else socket.AF_INET)
        self.sock.bind(path or (address, port))
        self.sock.listen(1024)  # a full one loses connections
        if not path:
            self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            talk = Talk(self, c)
            talk.start()
            self.talks.append(talk)
            talk.known.set()

    def close(self):
        self.sock.close()

    def certify(self, path):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path, path[:-4] + '.key')

    def commands(self, n=-1):
        return self.talks[n].commands if self.talks else []


class Carrier:
    def __init__(self, conf=None, policy=None, passwords=None, dns=True):
        self.dir = tempfile.mkdtemp(prefix='postern-r.')
        self.conf = dict(CONF, **(conf or {}))
        self.policy, self.passwords = policy or {}, passwords or {}
        self.with_dns = dns
        self.zone = {}      # (type, name): status, or list of records
        self.secure = set() # names
        self.asked, self.results, self.jobs, self.lost = [], {}, {}, []
        self.pongs = []
        self.sockets = {}   # path: where CONNECT leads
        self.packets = 0
        self.qid = 1 << 40
        self.proc = None
        self.chans = {}
        self.held = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        shutil.rmtree(self.dir)

    def file(self, name):
        return os.path.join(self.dir, name)

    def peer(self, name, role):
        self.chans[name] = send_peer(self.chans['master'], role)

    def give_map(self, name, rows):
        path = self.file(name + '.cdb')
        cdb_write(path, rows)
        send_files(self.chans['master'], MAP, span(name), path)

    def start(self):
        self.log = open(self.file('log'), 'wb+')
        self.proc, m = spawn('relay', RELAY, self.log)
        self.chans['master'] = m
        send_text(m, CONFIG, b'', conf_text(self.conf))
        if self.policy:
            self.give_map('tls-policy',
                          {k: v.encode() for k, v in self.policy.items()})
        if self.passwords:
            self.give_map('relay-passwords',
                          {k: v.encode() for k, v in self.passwords.items()})
        send_tally(m)
        self.peer('queue', QUEUE)
        if self.with_dns:
            self.peer('dns', DNSD)
        send(m, GO)
        wait_ready('relay', m, self.log_text)
        return self

    # --- jobs

    def job(self, rcpts, transport=HOST, host='127.0.0.1', port=0,
            body=b'Subject: x\n\nhello\n', sender='ann@client.test', flags=0,
            fd=None, offset=0, size=None, send_now=True):
        self.qid += 1
        inline = body if fd is None else b''
        size = len(body) if size is None else size
        b = u64(self.qid) + u64(int(time.time())) + span(sender) + span('sid')
        b += u64(offset) + u64(size) + span(inline) + u32(len(rcpts))
        for i, r in enumerate(rcpts):
            b += u32(i) + span(r) + span(r) + span('')
        b += u32(flags) + u32(transport) + u32(port) + span(host)
        self.jobs[self.qid] = list(rcpts)
        if send_now:
            send(self.chans['queue'], JOB, b, fd)
        return self.qid

    def on_results(self, body):
        r = Reader(body)
        self.packets += 1
        for _ in range(r.u32()):
            qid, index, code = r.u64(), r.u32(), r.u32()
            enhanced, text = r.text(), r.text()
            about, host = r.u32(), r.text()
            got = self.results.setdefault(qid, {})
            name = self.jobs[qid][index]
            if name in got:
                raise SystemExit('Bail out! two results for %s' % name)
            got[name] = (code, enhanced, text, about, host)
        if r.data:
            raise SystemExit('Bail out! trailing bytes')

    def on_dns(self, num, body):
        r = Reader(body)
        kind, name = r.u32(), r.text()
        self.asked.append((kind, name))
        got = self.zone.get((kind, name), NXDOMAIN if not any(
            n == name for _, n in self.zone) else NODATA)
        if got == 'silent':
            return
        status, records = (OK, got) if isinstance(got, list) else (got, [])
        b = u32(status) + u32(name in self.secure) + u32(60) + span(name)
        b += span('the resolver says so' if status == TEMP else '')
        b += u32(len(records))
        for rec in records:
            pref, data = 0, rec
            if kind == MXRR:
                pref, data = rec
            elif kind == A:
                data = socket.inet_aton(rec)
            elif kind == AAAA:
                data = socket.inet_pton(socket.AF_INET6, rec)
            b += struct.pack('>HBBB', pref, 0, 0, 0) + span(data)
        send(self.chans['dns'], DNS_IS, b, ident=num)

    def on_master(self, kind, num, body):
        if kind == PEER_LOST:
            self.lost.append(Reader(body).u32())
        elif kind == PONG:
            self.pongs.append(num)
        elif kind == CONNECT:
            path = Reader(body).text()
            to = self.sockets.get(path)
            if to == 'silent':
                return
            if to is None:
                send(self.chans['master'], CONNECT_IS,
                     span('not in lmtp-sockets'), ident=num)
                return
            s = socket.socket(socket.AF_UNIX)
            s.connect(to)
            send(self.chans['master'], CONNECT_IS, span(''), s.fileno(), num)
            s.close()

    def pump(self, until, patience=PATIENCE):
        end = time.monotonic() + patience
        while not until():
            if time.monotonic() > end:
                return False
            by = {s: n for n, s in self.chans.items()}
            ready, _, _ = select.select(list(by), [], [], 0.02)
            for s in ready:
                try:
                    data = s.recv(1 << 20)
                except ConnectionError: # it went, and left ours unread
                    data = b''
                if not data:
                    del self.chans[by[s]]
                    continue
                kind, num, body = split(data)
                if by[s] == 'queue' and kind == JOB_IS:
                    self.on_results(body)
                elif by[s] == 'dns' and kind == DNS:
                    self.on_dns(num, body)
                elif by[s] == 'master':
                    self.on_master(kind, num, body)
                else:
                    raise SystemExit('Bail out! message %d' % kind)
            if self.proc.poll() is not None and not ready:
                return until()
        return True

    def finished(self, *qids):
        return all(len(self.results.get(q, ())) == len(self.jobs[q])
                   for q in qids)

    def wait(self, *qids):
        """All results of a job, {rcpt: (code, enhanced, text, about, host)}"""
        if not self.pump(lambda: self.finished(*qids)):
            raise SystemExit('Bail out! no result: %s' % self.log_text())
        return self.results[qids[0]]

    def log_text(self):
        with open(self.file('log'), 'rb') as f:
            return f.read().decode('latin-1')

    def stop(self, num=1):
        """STOP; the exit status."""
        send(self.chans['master'], STOP, ident=num)
        self.pump(lambda: self.proc.poll() is not None)
        return self.proc.wait(PATIENCE)
