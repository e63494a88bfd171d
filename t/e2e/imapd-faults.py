"""An IMAP session is killed before its system calls, and each call that
touches a file fails, in turn. A fresh session finds all that was
acknowledged: messages under their UIDs, flags, folders; no UID is another
message's; nothing that was moved is lost; nothing hangs.

FAULTS: so many at most at the calls of one name (2); they are spread over all
calls of that name. 0: at every call.
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
from imapd import Imap, scratch

FAULTS = int(os.environ.get('FAULTS', '1' if SAN else '2'))
KILLS = ('openat', 'write', 'pread64', 'fsync', 'fdatasync', 'renameat',
         'renameat2', 'linkat', 'unlinkat', 'mkdirat', 'flock', 'sendto',
         'getdents64', 'newfstatat', 'fstat', 'close', 'utimensat',
         'ftruncate', 'sync_file_range')
ERRORS = {
    'openat': ('EMFILE', 'EIO'), 'write': ('ENOSPC', 'EIO'),
    'pread64': ('EIO',), 'fsync': ('EIO',), 'fdatasync': ('EIO',),
    'renameat': ('EIO', 'ENOSPC'), 'renameat2': ('ENOSPC',),
    'linkat': ('EMLINK', 'ENOSPC'), 'unlinkat': ('EIO',),
    'mkdirat': ('ENOSPC',), 'flock': ('ENOLCK',), 'getdents64': ('EIO',),
    'newfstatat': ('EIO',), 'fstat': ('EIO',), 'ftruncate': ('EIO',),
}
LATER = ('Box', 'Chest') # the same folder, renamed
t = Tap()
top = scratch()


class Tracer:
    def __init__(self, pid, out, *options):
        self.out = out
        self.proc = subprocess.Popen(
            ['strace', '-qq', '-o', out, '-e', 'signal=none', *options, '-p',
             str(pid)], stderr=subprocess.DEVNULL)
        for _ in range(PATIENCE * 200):
            with open('/proc/%d/status' % pid, encoding='ascii') as f:
                if 'TracerPid:\t0' not in f.read():
                    return
            if self.proc.poll() is not None:
                return
            time.sleep(0.002)
        raise SystemExit('Bail out! strace does not trace')

    def end(self):
        self.proc.terminate()
        self.proc.wait()
        with open(self.out, encoding='latin-1') as f:
            return f.read()


def message(mark):
    return b'Subject: %s\r\n\r\nbody of %s\r\n' % (mark, mark)


class Books:
    """What a client was told."""

    def __init__(self):
        self.uids = {}      # (folder, validity, uid): mark
        self.there = {}     # mark: names of a folder it must be in one of
        self.gone = set()   # those that must not be there
        self.flags = {}     # mark: what one of its copies must have
        self.folders, self.deleted = {'INBOX'}, set()
        self.inbox = 0      # its UIDVALIDITY

    def learn(self, validity, uid, mark, where):
        known = self.uids.setdefault((where[-1], validity, uid), mark)
        self.there[mark] = where
        return [] if known == mark else ['UID %d was %r, is %r' % (
            uid, known, mark)]


def look(s):
    """name: (validity, {uid: (mark, flags)}) of all folders."""
    out = {}
    for line in s.untagged('LIST "" *'):
        name = line.rsplit(b' ', 1)[1].decode()
        untagged, answer = s.cmd('SELECT ' + name)
        if not answer.startswith(b'OK'):
            out[name] = (0, {})
            continue
        validity = int(re.search(rb'UIDVALIDITY (\d+)',
                                 b' '.join(untagged)).group(1))
        out[name] = (validity, {})
        got = s.untagged('UID FETCH 1:* (FLAGS BODY.PEEK[])')
        for r in got:
            uid = re.search(rb'UID (\d+)', r)
            mark = re.search(rb'Subject: (\S+)', r)
            flags = re.search(rb'FLAGS \(([^)]*)\)', r)
            if uid and mark and flags:
                if b'body of ' + mark.group(1) not in r:
                    mark = None
                out[name][1][int(uid.group(1))] = (
                    mark and mark.group(1), set(flags.group(1).split()))
    return out


class Died(Exception):
    pass


class Work:
    def __init__(self, s, books):
        self.s, self.b, self.bad = s, books, []
        self.oks = 0

    def cmd(self, text):
        untagged, answer = self.s.cmd(text)
        return self.judge(untagged, answer, text)

    def judge(self, untagged, answer, text):
        if answer == b'(end)' or answer.startswith(b'BYE'):
            raise Died(text)
        if answer[:3] not in (b'OK ', b'NO '):
            self.bad.append('%s: %r' % (text, answer))
        ok = answer.startswith(b'OK')
        self.oks += ok
        return untagged + [answer] if ok else None

    def append(self, folder, mark, where, flags=''):
        untagged, answer = self.s.append(message(mark), folder, flags)
        if answer in (b')', b'd)'): # "(end)" in place of "+"
            answer = b'(end)'
        got = self.judge(untagged, answer, 'APPEND')
        if got:
            v, uid = re.search(rb'APPENDUID (\d+) (\d+)', got[-1]).groups()
            self.bad += self.b.learn(int(v), int(uid), mark, where)
            if flags:
                self.b.flags[mark] = set(flags.strip('() ').encode().split())

    def transfer(self, verb, uid, mark):
        if verb == 'MOVE':
            self.b.uids.pop(('INBOX', self.b.inbox, uid), None)
        got = self.cmd('UID %s %d Box' % (verb, uid))
        m = re.search(rb'COPYUID (\d+) (\d+) (\d+)\b', b' '.join(got or ()))
        if m:
            v, _, to = m.groups()
            self.bad += self.b.learn(int(v), int(to), mark, LATER)
            if verb == 'MOVE':
                self.b.gone.add(('INBOX', self.b.inbox, uid))

    def run(self):
        s, b = self.s, self.b
        got = self.cmd('SELECT INBOX')
        if got:
            b.inbox = int(re.search(rb'UIDVALIDITY (\d+)',
                                    b' '.join(got)).group(1))
            n = int(re.search(rb'(\d+) EXISTS', b' '.join(got)).group(1))
            for i, mark in enumerate((b'm-1', b'm-2', b'm-3', b'm-4')):
                b.there[mark] = ('INBOX', *LATER)
                if i < n: # what is in new/ may have to wait
                    b.uids['INBOX', b.inbox, i + 1] = mark
        self.append('INBOX', b'a-1', ('INBOX',), '(\\Flagged) ')
        if self.cmd('CREATE Box'):
            b.folders.add(LATER)
        self.append('Box', b'a-2', LATER)
        if got and self.cmd('UID STORE 1 +FLAGS (\\Answered word)'):
            b.flags[b'm-1'] = {b'\\Answered', b'word'}
        if got:
            self.transfer('COPY', 1, b'm-1')
            self.transfer('MOVE', 2, b'm-2')
            self.expunge(3, b'm-3')
        self.cmd('RENAME Box Chest')
        self.append('Chest', b'a-3', LATER)
        if self.cmd('CREATE Short') and self.cmd('DELETE Short'):
            b.deleted.add('Short')
        if got:
            self.cmd('CLOSE')

    def expunge(self, uid, mark):
        self.b.there.pop(mark, None)
        self.b.uids.pop(('INBOX', self.b.inbox, uid), None)
        if self.cmd('UID STORE %d +FLAGS (\\Deleted)' % uid):
            told = self.cmd('UID EXPUNGE %d' % uid)
            if told and any(b' EXPUNGE' in r for r in told):
                self.b.gone.add(('INBOX', self.b.inbox, uid))


def troubles(books, found):
    bad, marks, flags = [], {}, {}
    for name, (validity, rows) in found.items():
        kin = LATER[-1] if name in LATER else name
        for uid, (mark, has) in rows.items():
            marks.setdefault(mark, set()).add(name)
            flags.setdefault(mark, []).append(has)
            told = books.uids.get((kin, validity, uid), mark)
            if told != mark:
                bad.append('UID %d is %r, was %r' % (uid, mark, told))
            if (kin, validity, uid) in books.gone:
                bad.append('%r is still there' % mark)
    for mark, where in books.there.items():
        if not marks.get(mark, set()) & set(where):
            bad.append('%r is not in %r' % (mark, where))
    for mark, want in books.flags.items():
        if not any(want <= has for has in flags.get(mark, ())):
            bad.append('%r has %r' % (mark, flags.get(mark)))
    for folder in books.folders:
        names = {folder} if isinstance(folder, str) else set(folder)
        if not names & set(found):
            bad.append('no %r' % (folder,))
    bad += ['%s is there again' % f for f in books.deleted & set(found)]
    for (kin, v, uid), mark in books.uids.items():
        names = LATER if kin in LATER else (kin,)
        if not any(uid in found[name][1] for name in names
                   if name in found and found[name][0] == v):
            bad.append('%r has lost UID %d, UIDVALIDITY %d' % (mark, uid, v))
    return bad


def once(*options):
    """One session; (it died, what strace wrote, troubles)."""
    cur = {'170000000%d.M%dP1.h:2,' % (i, i):
           message(b'm-%d' % i).replace(b'\r', b'') for i in (1, 2, 3)}
    new = {'1700000009.M4P1.h': message(b'm-4').replace(b'\r', b'')}
    s = Imap(top, new=new, cur=cur)
    tracer = Tracer(s.child.process.pid, os.path.join(top, 'strace'),
                    *options)
    work, died = Work(s, Books()), False
    try:
        work.run()
    except (Died, OSError):
        died = True
    wrote = tracer.end()
    status = s.end()
    bad = work.bad
    if not died and status != 0:
        bad.append('exit status %d: %s' % (status, s.child.logged()[-300:]))
    after = Imap(top, root=s.root)
    bad += troubles(work.b, look(after))
    late = Work(after, work.b) # what comes later has a UID of its own
    late.append('INBOX', b'late', ('INBOX',))
    if not late.oks:
        bad.append('afterwards nothing can be added')
    bad += late.bad + troubles(work.b, look(after))
    after.end()
    shutil.rmtree(s.root)
    return died, wrote, bad


def places(calls, name):
    n = calls.get(name, 0)
    few = n if FAULTS == 0 else min(n, FAULTS)
    return sorted({1 + (2 * i + 1) * n // (2 * few) for i in range(few)})


if not shutil.which('strace') or subprocess.call(
        ['strace', '-qq', '-o', '/dev/null', 'true'],
        stderr=subprocess.DEVNULL):
    print('1..0 # SKIP strace may not trace here')
    sys.exit(0)

died, wrote, bad = once()
t.same((died, bad), (False, []), 'nothing happens, and all is there')
calls = {}
for line in wrote.splitlines():
    m = re.match(r'(\w+)\(', line)
    if m:
        calls[m.group(1)] = calls.get(m.group(1), 0) + 1

bad, n = [], 0
for name in KILLS:
    for k in places(calls, name):
        died, _, wrong = once('-e', 'trace=' + name, '-e',
                              'inject=%s:signal=KILL:when=%d' % (name, k))
        n += died
        bad += ['%s %d: %s' % (name, k, w) for w in wrong]
t.same(bad, [], 'killed: all that was acknowledged is there')
print('# %d times' % n)

for name, errors in ERRORS.items():
    for error in errors:
        if name not in calls:
            continue
        bad, n = [], 0
        for k in places(calls, name):
            died, wrote, wrong = once('-e', 'trace=' + name, '-e',
                                      'inject=%s:error=%s:when=%d' % (
                                          name, error, k))
            n += 'INJECTED' in wrote
            bad += ['%d: %s' % (k, w) for w in wrong]
        t.same(bad, [], '%s says %s' % (name, error))
        print('# %d times' % n)
shutil.rmtree(top)
t.done()
