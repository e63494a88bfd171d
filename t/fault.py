"""fault: the real queue among failing calls (t/unit/fault.c, keeper.py).

Harassed is a keeper whose queue is preloaded with fault.so. It plays a client
that does not give up and an administrator who starts the queue again, and
keeps the books: what was acknowledged, to whom it was delivered, who was told
of a failure.
"""
import mmap
import os
import struct
import time

from child import PATIENCE, SAN, TOP
from house import crc32c
from keeper import DOMAIN, LATER, NEVER, OK, Gone, Queue, envelope, qid_text
from wire import SMTPD, SPOOL_ABORT, SPOOL_OPEN, send, send_peer, u64

NOT, FAIL, SHORT, EXIT, FULL, DEAD, FILES, LIE, NO_ROOM = range(9)
SIZE, HEAD, ROW = 64 << 20, 6 * 8 + 16, struct.Struct('=5Q')
PRELOAD = os.path.join(TOP, 't', 'unit', 'fault.so')
ANN, BOB, CARL, DORA = ('%s@%s' % (u, DOMAIN)
                        for u in ('ann', 'bob', 'carl', 'dora'))


class Faults:
    """The mapping that is shared with the queue."""

    def __init__(self, path):
        with open(path, 'wb+') as f:
            f.truncate(SIZE)
            self.map = mmap.mmap(f.fileno(), SIZE)
        san = 'verify_asan_link_order=0:detect_leaks=0'
        self.wrap = ['env', 'LD_PRELOAD=' + PRELOAD, 'FAULT_MAP=' + path]
        if SAN:
            self.wrap.append('ASAN_OPTIONS=' + san)

    def get(self, i):
        return struct.unpack_from('=Q', self.map, 8 * i)[0]

    calls = property(lambda self: self.get(0))
    used = property(lambda self: self.get(3))
    overflow = property(lambda self: self.get(4))
    hit = property(lambda self: self.get(5))

    @property
    def what(self):
        return bytes(self.map[48:64]).rstrip(b'\0').decode()

    def set(self, how, at=0):
        struct.pack_into('=QQ', self.map, 8, at, how)

    def rows(self):
        """(operation, call, a, b, bytes) of all that succeeded."""
        at, end = HEAD, HEAD + self.used
        while at < end:
            op, call, a, b, n = ROW.unpack_from(self.map, at)
            at += ROW.size
            yield chr(op), call, a, b, bytes(self.map[at:at + n])
            at += n


def need():
    if not os.path.exists(PRELOAD):
        print('1..0 # SKIP t/unit/fault.so is not built')
        raise SystemExit(0)


class Mail:
    def __init__(self, number, sender, rcpts, large=False):
        self.mark = 'mark-%d-' % number
        self.sender, self.rcpts, self.large = sender, rcpts, large
        self.body = b'Subject: %s\n\n' % self.mark.encode()
        self.body += b'a line of some length, so that it counts\n' * (
            3000 if large else 5)


class Stuck(Exception):
    pass


class Harassed(Queue):
    def __init__(self, **conf):
        super().__init__(**{'retry_min': '1s', 'retry_max': '1s', **conf})
        self.faults = Faults(self.file('faults'))
        self.wrap = self.faults.wrap
        self.acked = {}      # queue id: Mail
        self.bodies = {}     # name in the spool: what we appended
        self.refused = []    # what came instead of 250
        self.put_off = set()
        self.restarts = self.flushes = self.mails = 0
        self.policy = self.judge

    def judge(self, address, job):
        """Bob is busy the first time, Carl wants no mail."""
        if address == CARL:
            return NEVER
        if address == BOB and job['qid'] not in self.put_off:
            self.put_off.add(job['qid'])
            return LATER
        return OK

    # --- its life

    def up(self):
        for _ in range(10):
            try:
                self.kill()
                self.restarts += 1
                if self.start().is_ready:
                    return self
            except (Gone, OSError):
                pass
        raise Stuck('it does not start')

    def alive(self):
        """Starts it again if it ended."""
        if not self.is_ready or self.proc.poll() is not None:
            self.up()

    def peer_again(self):
        self.smtpd = send_peer(self.master, SMTPD)

    # --- the client

    def wait_for(self, ids):
        """False: some will never be answered, smtpd's channel is gone."""
        if not self.pump(lambda: all(i in self.answers for i in ids) or
                         self.smtpd.fileno() == -1):
            raise Stuck('no answer')
        return all(i in self.answers for i in ids)

    def try_small(self, mails):
        ids = [self.submit(m.sender, m.rcpts, m.body) for m in mails]
        self.wait_for(ids)
        return [self.answers.get(i) for i in ids]

    def try_large(self, m):
        got = self.open_one(m)
        if got is None or got[0] != 0:
            return got
        fd = self.files.pop(got[3])
        os.write(fd, m.body)
        os.close(fd)
        n = self.commit_large(got[3], m.sender, m.rcpts, len(m.body),
                              crc32c(m.body))
        self.wait_for([n])
        return self.answers.get(n)

    def open_one(self, m):
        self.number += 1
        n = self.number
        send(self.smtpd, SPOOL_OPEN, envelope(m.sender, m.rcpts) + u64(0),
             ident=n)
        if not self.wait_for([n]):
            return None
        got = self.answers[n]
        if got[0] == 0:
            self.bodies[qid_text(got[3])] = m.body
        return got

    def once(self, mails):
        """Those that must come again."""
        if self.proc is None:
            raise Gone(None)
        if self.smtpd.fileno() == -1:
            self.peer_again()
        if mails[0].large:
            answers = [self.try_large(m) for m in mails]
        else:
            answers = self.try_small(mails)
        again = []
        for m, got in zip(mails, answers):
            if got is not None and got[0] == 250:
                self.acked[got[3]] = m
                continue
            if got is not None:
                self.refused.append(got[:3])
            again.append(m)
        return again

    def insist(self, mails):
        """Until they are taken."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                mails = self.once(mails)
            except (Gone, OSError):
                self.up()
            if not mails:
                return
            time.sleep(0.01)
        raise Stuck('not taken: %s' % self.refused[-1:])

    def mail(self, sender, rcpts, large=False):
        self.mails += 1
        return Mail(self.mails, sender, rcpts, large)

    def abort(self):
        """A client goes away in the middle of a large message."""
        try:
            if self.smtpd.fileno() == -1:
                self.peer_again()
            got = self.open_one(self.mail(DORA, [ANN], True))
            if got is not None and got[0] == 0:
                fd = self.files.pop(got[3])
                os.write(fd, b'half of it')
                os.close(fd)
                send(self.smtpd, SPOOL_ABORT, u64(got[3]))
        except (Gone, OSError):
            self.up()

    def work(self):
        """One of each kind."""
        self.insist([self.mail(DORA, [ANN])])
        self.insist([self.mail(DORA, [ANN, BOB, CARL])])
        self.insist([self.mail(DORA, [ANN, BOB], True)])
        self.abort()
        self.insist([self.mail(DORA, [ANN]), self.mail(DORA, [BOB]),
                     self.mail(DORA, [CARL]), self.mail('', [CARL])])

    def settle(self):
        """Until the queue is empty; flushes, after a while restarts."""
        end = time.monotonic() + PATIENCE
        patience = time.monotonic() + PATIENCE / 4
        while self.names():
            if time.monotonic() > end:
                raise Stuck('left in the queue: %s' % self.names())
            try:
                if time.monotonic() > patience:
                    patience = end
                    self.flushes += 1
                    self.up()
                self.ctl('flush')
                self.pump(lambda: not self.names(), 0.05)
            except (Gone, OSError):
                self.up()

    # --- the books

    def books(self, owed, got, more_jobs=()):
        """Acknowledged, and nobody heard of it since."""
        told = [j['body'] for j in self.jobs + list(more_jobs)
                if j['from'] == '' and
                any((j['qid'], a) in got for _, a, _, _ in j['to'])]
        lost = []
        for qid, m in owed.items():
            for rcpt in m.rcpts:
                if (qid, rcpt) in got:
                    continue
                # Carl's mail comes back: its end is the report's.
                if rcpt == CARL and any(
                        m.mark.encode() in b and CARL.encode() in b
                        for b in told):
                    continue
                lost.append('%s to %s (%s)' % (m.mark, rcpt, qid_text(qid)))
        return lost

    def missing(self):
        return self.books(self.acked, set(self.delivered))

    def changed(self):
        """Bodies that are not what was acknowledged."""
        return [self.acked[j['qid']].mark for j in self.jobs
                if j['qid'] in self.acked and
                j['body'] != self.acked[j['qid']].body]

    def twice(self):
        return len(self.delivered) - len(set(self.delivered))
