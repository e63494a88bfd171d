"""The queue is killed before each of its system calls, and each call that
touches a file fails, in turn. What was acknowledged is delivered or bounced;
what was not got a 4xx; and it serves on.

FAULTS: so many kills at most at the calls of one name (8).
"""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, SAN, Tap
from keeper import (DOMAIN, LATER, NEVER, OK, RESULT, Gone, Queue, qid_old,
                    qid_text, record, spool_file)

t = Tap()
ANN, BOB, CARL, DORA = ('%s@%s' % (u, DOMAIN)
                        for u in ('ann', 'bob', 'carl', 'dora'))
FAULTS = int(os.environ.get('FAULTS', '3' if SAN else '8'))
number = 0


class Tracer:
    def __init__(self, q, inject):
        self.out = q.file('strace')
        self.proc = subprocess.Popen(
            ['strace', '-qq', '-o', self.out, '-e', 'inject=' + inject,
             '-e', 'signal=none', '-p', str(q.proc.pid)],
            stderr=subprocess.DEVNULL)
        for _ in range(PATIENCE * 200):
            with open('/proc/%d/status' % q.proc.pid, encoding='ascii') as f:
                if 'TracerPid:\t0' not in f.read():
                    return
            if self.proc.poll() is not None:
                if self.proc.returncode in (0, -9):
                    return # it has killed it already
                break
            time.sleep(0.005)
        raise SystemExit('Bail out! strace does not trace')

    def end(self):
        """True: what was to be injected was."""
        self.proc.terminate()
        self.proc.wait()
        with open(self.out, encoding='latin-1') as f:
            return 'INJECTED' in f.read()


class Work:
    """Messages of every kind; what was said to each."""

    def __init__(self, q):
        self.q = q
        self.asked = {}    # id -> (tag, recipients that must have it)

    def body(self, size=0):
        global number
        number += 1
        tag = 'tag-%06d-' % number
        return tag, ('Subject: %s\n\n%s' % (tag, 'x\n' * size)).encode()

    def small(self, rcpts, want):
        tag, body = self.body()
        n = self.q.submit(DORA, rcpts, body)
        self.asked[n] = (tag, want)

    def large(self, rcpts, want):
        tag, body = self.body(40000)
        q = self.q
        got = q.open_large(DORA, rcpts)
        if got[0] != 0:
            self.asked[q.number] = (tag, want)
            return
        fd = q.files.pop(got[3])
        os.write(fd, body)
        os.close(fd)
        from house import crc32c
        n = q.commit_large(got[3], DORA, rcpts, len(body), crc32c(body))
        self.asked[n] = (tag, want)

    def run(self):
        """All of it; Gone if the queue is."""
        q = self.q
        self.small([ANN], [ANN])
        q.pump(lambda: set(self.asked) <= set(q.answers))
        self.small([ANN, CARL], [ANN, CARL])  # CARL's is put off once
        self.small([BOB], [DORA])             # bounces
        self.large([ANN, BOB], [ANN, DORA])
        q.pump(lambda: set(self.asked) <= set(q.answers))
        q.pump(lambda: not q.names() or self.quiet())
        # One that goes while nothing else happens.
        q.ctl('flush')
        q.pump(lambda: not q.names() or self.quiet())

    def quiet(self):
        return '"active"' not in self.q.ctl('list', '--json')[1]

    def troubles(self, jobs):
        """Acknowledged, and not there; or refused in a wrong way."""
        bad = []
        for n, (tag, want) in self.asked.items():
            got = self.q.answers.get(n)
            if got is None:
                continue
            if got[0] == 250:
                qid = qid_text(got[3]) if got[3] else None
                for address in want:
                    # A report names the message, even if it cannot quote it.
                    if not {(tag, address), (qid, address)} & jobs:
                        bad.append('%s lost for %s' % (tag, address))
            elif got[0] not in (451, 452) or not got[1].startswith('4.'):
                bad.append('%s: %r' % (tag, got))
        return bad


def deliveries(q):
    """(tag, address) that the workers took."""
    got = set()
    for job in q.jobs:
        at = job['body'].find(b'tag-')
        tag = job['body'][at:at + 11].decode('latin-1')
        for _, address, _, _ in job['to']:
            if (job['qid'], address) in taken:
                got.add((tag, address))
                about = re.search(rb'X-Postern-Queue-ID: (\w+)', job['body'])
                if about and job['from'] == '':
                    got.add((about.group(1).decode(), address))
    return got


taken = set()


def policy(later):
    def fn(address, job):
        if address == BOB:
            return NEVER
        if address == CARL and later[0]:
            later[0] = False
            return LATER
        taken.add((job['qid'], address))
        return OK
    return fn


def recover(q, until=None):
    """After whatever it was: all that is in the spool leaves."""
    if q.proc is None or q.proc.poll() is not None:
        q.kill()
        q.start()
    until = until or (lambda: not q.names())
    end = time.monotonic() + PATIENCE
    while not until() and time.monotonic() < end:
        q.ctl('flush')
        q.pump(until, 0.3)
    return until() and not q.names('corrupt')


if not shutil.which('strace'):
    print('1..0 # SKIP no strace here')
    sys.exit(0)
if subprocess.call(['strace', '-qq', '-o', '/dev/null', 'true'],
                   stderr=subprocess.DEVNULL):
    print('1..0 # SKIP strace may not trace here')
    sys.exit(0)


# What it does at work; strace counts the calls of each name by itself.
KILLS = ('epoll_wait,epoll_pwait', 'recvmsg', 'sendmsg', 'openat', 'writev',
         'pwrite64', 'fsync', 'sync_file_range', 'pread64', 'unlinkat',
         'close', 'renameat', 'getdents64', 'write')


def killed_at(q, inject, prepare):
    """True: it was killed; troubles."""
    q.kill()
    work, tracer, later, died = Work(q), [], [True], False
    q.policy = policy(later)
    try:
        if prepare:
            prepare(work)
            q.before_go = lambda: tracer.append(Tracer(q, inject))
            q.start()
            q.pump(lambda: not q.names() or work.quiet())
        else:
            q.start()
            tracer.append(Tracer(q, inject))
            work.run()
    except (Gone, OSError):
        died = True
    q.before_go = None
    for tr in tracer:
        tr.end()
    died = died or q.proc.poll() is not None
    later[0] = False
    bad = [] if recover(q) else ['stays %s, corrupt %s' % (
        q.names(), q.names('corrupt'))]
    for sub in 'queue', 'corrupt':
        for name in q.names(sub):
            os.unlink(os.path.join(q.spool, sub, name))
    bad += work.troubles(deliveries(q))
    q.jobs.clear()
    return died, bad


def kill_sweep(q, prepare=None):
    """How often it was killed; troubles."""
    kills, bad = 0, []
    for calls in KILLS:
        for k in range(1, FAULTS + 1):
            died, wrong = killed_at(
                q, '%s:signal=KILL:when=%d' % (calls, k), prepare)
            bad += ['%s %d: %s' % (calls, k, w) for w in wrong]
            if not died:
                break
            kills += 1
    return kills, bad


with Queue(retry_min='1h') as q:
    n, bad = kill_sweep(q)
    t.same(bad, [], 'killed at work: nothing that was acknowledged is lost')
    print('# %d times' % n)

# Files of a former life, and a kill while they are read.
with Queue(retry_min='1h') as q:
    def prepare(work):
        for i, want in enumerate(([ANN], [ANN, CARL], [DORA], [ANN])):
            tag, body = work.body(30000 if i == 3 else 0)
            rcpts = [BOB] if want == [DORA] else want
            log = record(RESULT, 0, 451, 5, '4.2.2', 'x') + b'torn'
            q.number += 1
            work.asked[q.number] = (tag, want)
            q.answers[q.number] = (250, '', '', 0)
            q.put(qid_old(i), spool_file(DORA, rcpts, body,
                                         log=log if i else b''))
        q.put(qid_old(9), b'cut')
        q.put(qid_old(8), spool_file(DORA, [ANN], b'x', whole=False))

    n, bad = kill_sweep(q, prepare)
    t.same(bad, [], 'killed while it starts: the same')
    print('# %d times' % n)

# Each file call fails.
CALLS = {
    'openat': ('EMFILE', 'ENOSPC'), 'writev': ('ENOSPC',),
    'pwrite64': ('ENOSPC',), 'fsync': ('EIO',), 'pread64': ('EIO',),
    'unlinkat': ('EIO',), 'fstatfs': ('EIO',), 'newfstatat,fstat': ('EIO',),
}
for calls, errors in CALLS.items():
    for error in errors:
        bad, hits = [], 0
        with Queue(retry_min='1h') as q:
            later = [True]
            q.start()
            for k in range(1, 40):
                work = Work(q)
                later[0] = True
                q.policy = policy(later)
                tracer = Tracer(q, '%s:error=%s:when=%d' % (calls, error, k))
                try:
                    work.run()
                except Gone:
                    bad.append('%d: it died: %s' % (k, q.log_so_far()[-300:]))
                hit = tracer.end()
                later[0] = False
                silent = [n for n in work.asked if n not in q.answers]
                if silent:
                    bad.append('%d: %d without an answer' % (k, len(silent)))
                # What cannot be unlinked stays, until a start.
                if calls == 'unlinkat':
                    recover(q, lambda: not work.troubles(deliveries(q)))
                elif not recover(q):
                    bad.append('%d: stays %s, corrupt %s' % (
                        k, q.names(), q.names('corrupt')))
                    for sub in 'queue', 'corrupt':
                        for name in q.names(sub):
                            os.unlink(os.path.join(q.spool, sub, name))
                bad += ['%d: %s' % (k, b)
                        for b in work.troubles(deliveries(q))]
                after = q.ask(DORA, [ANN], b'Subject: after\n\n')
                if not after or after[0] != 250:
                    bad.append('%d: afterwards %r' % (k, after))
                q.pump(lambda: not q.names() or work.quiet())
                q.jobs.clear()
                if not hit:
                    break
                hits += 1
            if calls == 'unlinkat': # a file that stays is found at a start
                q.kill()
                if not recover(q):
                    bad.append('stays %s' % q.names())
            status = q.stop()
            if status != 0:
                bad.append('exit status %s' % status)
        t.same(bad, [], '%s says %s' % (calls, error))
        print('# %d times' % hits)
t.done()
