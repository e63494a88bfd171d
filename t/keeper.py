"""keeper: the real queue process in a house of python.

The test is master, smtpd and every deliver and relay process: it submits
messages, answers jobs as it likes, kills the queue, looks into its spool. One thread;
pump() serves the channels until a condition holds.
"""
import os
import select
import shutil
import socket
import struct
import tempfile
import time
import weakref

from child import PATIENCE, conf_text, spawn, written
from house import account, cdb_write, crc32c, qid_text
from wire import (CONFIG, CTL, CTL_TEXT, DIR, GO, JOB, JOB_IS, LISTEN, MAP, QUEUE,
                  READY, RELAY, SMTPD, SPOOL_IS, SPOOL_OPEN, STOP, SUBMIT,
                  SUBMIT_IS, WORKER, WORKER_IS, Reader, pair, send, send_files,
                  send_peer, send_text, span, split, split_fds, u32, u64)

LOCAL, MX, HOST, LMTP, LMTP_UNIX = range(5)  # enum job_transport
DOMAIN = 'example.org'
OK = (250, '2.0.0', 'delivered')
LATER = (451, '4.2.2', 'mailbox full')
NEVER = (550, '5.7.1', 'not wanted')
ALIASES = {'postmaster': 'root@' + DOMAIN}
CONF = {'hostname': 'mx.' + DOMAIN, 'domains': DOMAIN, 'log': 'stderr',
        'log-level': 'debug', 'retry-min': '1h', 'retry-max': '2h',
        'spool-reserve': '0'}


def envelope(sender, rcpts, arrived=None, flags=0, sid='testsid', login=''):
    e = u64(int(arrived if arrived is not None else time.time()))
    for text in (sender, sid, '192.0.2.1', 'client', 'ESMTP', login):
        e += span(text)
    return e + u32(flags) + u32(len(rcpts)) + b''.join(map(span, rcpts))


def record(kind, rcpt=0, code=0, after=0, enhanced='', text='', when=None):
    """One of the log, lib/spool.h."""
    b = (struct.pack('>B', kind) + u64(int(when or time.time())) + u32(rcpt) +
         u32(code) + u64(int(after)) + span(enhanced) + span(text))
    return u32(len(b)) + u32(crc32c(b)) + b


RESULT, BOUNCED, WARNED, HELD, RELEASED = range(1, 6)


def spool_file(sender, rcpts, body, finals=None, log=b'', whole=True, **kw):
    """lib/spool.h, written a second time on purpose."""
    finals = finals or list(enumerate(rcpts))
    e = envelope(sender, rcpts, **kw) + u32(len(finals))
    e += b''.join(u32(i) + span(a) for i, a in finals)
    head = 'POSTERN1 %s %08x %08x %016x %08x ' % (
        'W' if whole else 'U', len(e), crc32c(e), len(body), crc32c(body))
    head = head.encode()
    return head + b'%08x\n' % crc32c(head) + e + body + log


class Gone(Exception):
    pass


class Queue:
    def __init__(self, wrap=(), aliases=None, **conf):
        self.dir = tempfile.mkdtemp(prefix='postern-q.')
        self.spool = os.path.join(self.dir, 'spool')
        os.mkdir(self.spool)
        self.conf = dict(CONF)
        self.conf.update({k.replace('_', '-'): v for k, v in conf.items()})
        self.aliases = dict(ALIASES)
        self.aliases.update(aliases or {})
        self.transport = {}          # rows of its map
        self.relays_at_start = 1
        self.accounts = ['root', 'ann', 'bob', 'carl', 'dora']
        self.policy = lambda address, job: OK
        # What a relay says: a result; None: nothing; or with a host, and
        # True if the host was not there: (code, enhanced, text, host, True).
        self.elsewhere = lambda address, job: OK
        self.worker_says = lambda: ''
        self.before_go = None        # it is started, and waits for GO
        self.jobs, self.answers, self.files = [], {}, {}
        self.delivered = []          # (qid, address), every 250 we said
        self.number = 0
        self.logged = ''
        self.starts = 0
        self.wrap = list(wrap)
        self.proc = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.dir)

    # --- its life

    def start(self, ready=True):
        self.workers, self.silent = [], []
        self.relays = []
        self.starts += 1
        self.log = open(self.file('log.%d' % self.starts), 'ab+')
        self.path = os.path.join(self.dir, 'queue.sock')
        if os.path.exists(self.path):
            os.unlink(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.path)
        listener.listen(1024)
        listener.setblocking(False)
        self.proc, self.master = spawn('queue', QUEUE, self.log, self.wrap)
        send_text(self.master, CONFIG, b'', conf_text(self.conf))
        send(self.master, LISTEN, span('queue') + span('test'),
             listener.fileno())
        listener.close()
        cdb_write(self.file('users.cdb'),
                  {'%s@%s' % (u, DOMAIN): account(u) for u in self.accounts})
        cdb_write(self.file('aliases.cdb'),
                  {k: v.encode() for k, v in self.aliases.items()})
        self.write_transport()
        for name in ('users', 'aliases', 'transport'):
            send_files(self.master, MAP, span(name),
                       self.file(name + '.cdb'))
        send_files(self.master, DIR, span('spool'), self.spool)
        self.smtpd = send_peer(self.master, SMTPD)
        for i in range(self.relays_at_start):
            self.relay(i)
        if self.before_go:
            self.before_go()
        send(self.master, GO)
        self.is_ready = False
        if ready:
            self.pump(lambda: self.is_ready)
            self.ctl('count') # READY comes before its directories are open
        return self

    def relay(self, index=0):
        """A new relay process; its end of the channel."""
        self.relays.append(send_peer(self.master, RELAY, index))
        return self.relays[-1]

    def write_transport(self):
        cdb_write(self.file('transport.cdb'),
                  {k: v.encode() for k, v in self.transport.items()})

    def write(self, name, text):
        with open(self.file(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.file(name)

    def file(self, name):
        return os.path.join(self.dir, name)

    def take_log(self):
        if self.proc is not None and not self.log.closed:
            self.logged += written(self.log)
            self.log.close()
        return self.logged

    def log_so_far(self):
        return self.logged + written(self.log)

    def close(self):
        for s in [self.master, self.smtpd] + self.workers + self.relays:
            s.close()
        self.take_log()

    def kill(self):
        """As a power failure would, but that the disk is well."""
        if self.proc is None:
            return
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.close()
        self.proc = None

    def stop(self, wait=PATIENCE):
        """The exit status."""
        send(self.master, STOP, ident=1)
        end = time.monotonic() + wait
        while self.proc.poll() is None and time.monotonic() < end:
            try:
                self.turn(0.02)
            except Gone:
                pass
        status = self.proc.poll()
        self.kill()
        return status

    # --- what it says

    def pump(self, until, wait=PATIENCE):
        """Serves it until until() is true; False: it was not in time."""
        end = time.monotonic() + wait
        while not until():
            if time.monotonic() > end:
                return False
            self.turn(0.05)
        return True

    def turn(self, wait):
        socks = [s for s in [self.master, self.smtpd] + self.workers +
                 self.relays if s.fileno() != -1]
        if not socks or self.proc.poll() is not None:
            raise Gone(self.proc.poll())
        ready = select.select(socks, [], [], wait)[0]
        for s in ready:
            self.read(s)
        return ready

    def catch_up(self):
        """Reads all that it has said by now."""
        while self.turn(0):
            pass

    def scanned(self):
        """What was in its spool at the start is known to it."""
        return self.pump(
            lambda: 'ev=scan' in self.log_so_far()[len(self.logged):])

    def read(self, s):
        try:
            data, anc, _, _ = s.recvmsg(1 << 20, 64)
        except OSError:
            data, anc = b'', []
        fds = split_fds(anc)
        try:
            if not data:
                s.close()
                for ends in self.workers, self.relays:
                    if s in ends:
                        ends.remove(s)
                return
            kind, ident, body = split(data)
            {READY: self.on_ready, WORKER: self.on_worker,
             SUBMIT_IS: self.on_answer, SPOOL_IS: self.on_spool,
             JOB: self.on_job}[kind](s, ident, Reader(body), fds)
        finally:
            for fd in fds:
                os.close(fd)

    def on_ready(self, *_):
        self.is_ready = True

    def on_worker(self, s, ident, r, _):
        why = self.worker_says()
        if why:
            send(s, WORKER_IS, span(why), ident=ident)
            return
        ours, theirs = pair()
        self.workers.append(ours)
        send(s, WORKER_IS, span(''), theirs.fileno(), ident=ident)
        theirs.close()

    def on_answer(self, _, ident, r, __):
        qid = r.u64()
        self.answers[ident] = (r.u32(), r.text(), r.text(), qid)

    def on_spool(self, _, ident, r, fds):
        qid = r.u64()
        self.answers[ident] = (r.u32(), r.text(), r.text(), qid)
        if fds:
            self.files[qid] = os.dup(fds[0])

    def on_job(self, s, _, r, fds):
        job = {'qid': r.u64(), 'arrived': r.u64(), 'from': r.text(),
               'sid': r.text(), 'offset': r.u64(), 'size': r.u64(),
               'body': r.span(), 'to': []}
        for _ in range(r.u32()):
            job['to'].append((r.u32(), r.text(), r.text(), r.text()))
        job['flags'], job['transport'], job['port'] = r.u32(), r.u32(), r.u32()
        job['host'] = r.text()
        job['inline'] = not fds
        job['at'] = weakref.ref(s)
        if fds:
            job['body'] = os.pread(fds[0], job['size'], job['offset'])
        self.jobs.append(job)
        results = []
        for index, address, _, _ in job['to']:
            policy = self.policy if job['transport'] == LOCAL else \
                self.elsewhere
            is_ = policy(address, job)
            if is_ is None:
                self.silent.append((s, job['qid'], index))
                continue
            results.append((job['qid'], index) + tuple(is_))
            if is_[0] == 250:
                self.delivered.append((job['qid'], address))
        self.say(s, results)

    @staticmethod
    def say(s, results):
        if not results:
            return
        b = u32(len(results))
        for qid, index, code, enhanced, text, *who in results:
            host, missed = (who + ['', False])[:2] if len(who) != 1 else \
                (who[0], False)
            b += (u64(qid) + u32(index) + u32(code) + span(enhanced) +
                  span(text) + u32(int(missed)) + span(host))
        try:
            send(s, JOB_IS, b)
        except OSError:
            pass

    # --- what smtpd says

    def submit(self, sender, rcpts, body=b'Subject: x\n\nx\n', id_at=0, **kw):
        """Its id in answers."""
        self.number += 1
        try:
            send(self.smtpd, SUBMIT, u64(0) + u64(len(body)) +
                 u32(crc32c(body)) + u32(id_at) +
                 envelope(sender, rcpts, **kw) + span(body), ident=self.number)
        except OSError as e:
            raise Gone(e)
        return self.number

    def ask(self, *args, **kw):
        """Submits, waits: (code, enhanced, text, qid)."""
        n = self.submit(*args, **kw)
        self.pump(lambda: n in self.answers)
        return self.answers.get(n)

    def open_large(self, sender, rcpts, hint=0, **kw):
        self.number += 1
        n = self.number
        send(self.smtpd, SPOOL_OPEN, envelope(sender, rcpts, **kw) +
             u64(hint), ident=n)
        self.pump(lambda: n in self.answers)
        return self.answers[n]

    def commit_large(self, qid, sender, rcpts, size, crc, **kw):
        self.number += 1
        send(self.smtpd, SUBMIT, u64(qid) + u64(size) + u32(crc) + u32(0) +
             envelope(sender, rcpts, **kw) + span(''), ident=self.number)
        return self.number

    def ask_large(self, sender, rcpts, body):
        got = self.open_large(sender, rcpts)
        if got[0] != 0:
            return got
        fd = self.files.pop(got[3])
        for at in range(0, len(body), 1 << 16):
            os.write(fd, body[at:at + (1 << 16)])
        os.close(fd)
        n = self.commit_large(got[3], sender, rcpts, len(body), crc32c(body))
        self.pump(lambda: n in self.answers)
        return self.answers.get(n)

    # --- what an administrator says

    def ctl(self, *words, wait=PATIENCE):
        """(exit status, text, why). What it told others before the answer
        has been read, too."""
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.connect(self.path)
        send(c, CTL, u32(len(words)) + b''.join(map(span, words)), ident=1)
        c.setblocking(False)
        text, got = b'', []

        def done():
            nonlocal text
            while True:
                try:
                    data = c.recv(1 << 20)
                except BlockingIOError:
                    return False
                if not data:
                    got.append((None, 'cut off'))
                    return True
                kind, = struct.unpack('>H', data[:2])
                if kind == CTL_TEXT:
                    text += data[6:]
                else:
                    r = Reader(data[6:])
                    got.append((r.u32(), r.text()))
                    return True
        if self.pump(done, wait):
            self.catch_up()
        c.close()
        status, why = got[0] if got else (None, 'no answer')
        return status, text.decode('latin-1'), why

    def count(self):
        return int(self.ctl('count')[1])

    # --- its spool

    def names(self, sub='queue'):
        where = os.path.join(self.spool, sub)
        return sorted(os.listdir(where)) if os.path.isdir(where) else []

    def put(self, name, data, sub='queue'):
        os.makedirs(os.path.join(self.spool, sub), 0o700, exist_ok=True)
        with open(os.path.join(self.spool, sub, name), 'wb') as f:
            f.write(data)

    def empties(self, wait=PATIENCE):
        return self.pump(lambda: not self.names(), wait)


def qid_old(i):
    """An id of yesterday."""
    return qid_text((int((time.time() - 86400) * 1000000) + i) << 10)
