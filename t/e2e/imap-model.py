"""Sessions on the same folders do what comes to mind, mail arrives, another
program renames and removes files; a model knows what must be so after each
step. Then all of them do it at the same time, and must agree afterwards.

SEED: of the random numbers (1; "any": others each time, printed). OPS: so many
steps (400).
IMAP_SERVER=dovecot: the same questions to a Dovecot.
"""
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, SAN, Tap
from imap import Bad, Literal, No, Server, View, sequence

SEED = os.environ.get('SEED', '1')
SEED = (random.SystemRandom().randrange(1 << 32) if SEED == 'any' else
        int(SEED))
OPS = int(os.environ.get('OPS', '150' if SAN else '400'))
FOLDERS = ('INBOX', 'Archive')
SYSTEM = ('\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft')
KEYWORDS = ('$Forwarded', 'todo', 'Junk')
LETTERS = {'\\Seen': 'S', '\\Answered': 'R', '\\Flagged': 'F',
           '\\Deleted': 'T', '\\Draft': 'D'}
MARK = 'BODY.PEEK[HEADER.FIELDS (X-MARK)]'
rng = random.Random(SEED)


class Wrong(Exception):
    pass


def must(good, *what):
    if not good:
        raise Wrong(' '.join(map(str, what)))


def kept(flags):
    return frozenset(f for f in flags if f != '\\Recent')


class Folder:
    """What is so."""

    def __init__(self, name):
        self.name = name
        self.mail = {}        # UID: [mark, flags]
        self.pending = {}     # mark: flags; there, its UID not yet known
        self.used = set()     # every UID that ever was
        self.validity = None
        self.foreign = False  # another program was at it

    def uids(self):
        return sorted(self.mail)

    def add(self, uid, mark, flags):
        must(uid not in self.used, 'UID', uid, 'again in', self.name)
        self.used.add(uid)
        self.mail[uid] = [mark, kept(flags)]


class Model:
    def __init__(self, server):
        self.server = server
        self.marks = 0
        self.where = {f: Folder(f) for f in FOLDERS}
        self.sessions = []
        self.path = server.maildir(1)
        self.trail = []
        self.log = []       # of all sessions

    def client(self, name):
        return self.server.client(1, log=self.log, name='%s ' % name)

    # --- messages

    def mark(self):
        self.marks += 1
        return 'm%06d' % self.marks

    def letter(self, mark, eol='\r\n'):
        lines = ['From: <a@client.test>', 'To: <user001@example.test>',
                 'Subject: letter ' + mark, 'X-Mark: ' + mark, '',
                 'body of ' + mark] + ['x'] * rng.randrange(5)
        return (eol.join(lines) + eol).encode()

    def dir(self, folder):
        return self.path if folder == 'INBOX' else os.path.join(
            self.path, '.' + folder)

    def files(self, folder):
        """{mark: path} of all that is there."""
        got = {}
        for sub in 'new', 'cur':
            where = os.path.join(self.dir(folder), sub)
            for name in os.listdir(where):
                path = os.path.join(where, name)
                with open(path, 'rb') as f:
                    head = f.read(2000)
                at = head.find(b'X-Mark: ')
                got[head[at + 8:at + 15].decode()] = path
        return got

    def drop(self, folder, mark, flags=None):
        """As another program delivers: into new, or with flags into cur."""
        name = '%d.M%dP%d.elsewhere' % (time.time(), self.marks, os.getpid())
        tmp = os.path.join(self.dir(folder), 'tmp', name)
        with open(tmp, 'wb') as f:
            f.write(self.letter(mark, '\n'))
        os.chown(tmp, *self.owner())
        sub = 'new'
        if flags is not None:
            sub, name = 'cur', name + ':2,' + ''.join(
                sorted(LETTERS[f] for f in flags))
        os.rename(tmp, os.path.join(self.dir(folder), sub, name))

    def owner(self):
        st = os.stat(os.path.join(self.path, 'cur'))
        return st.st_uid, st.st_gid


class Session:
    def __init__(self, model, number):
        self.model, self.number = model, number
        self.client = model.client(number)

    @property
    def view(self):
        return self.client.view

    def folder(self):
        return self.model.where[self.view.name]

    def select(self, name, verb='SELECT'):
        self.client.select(name, verb)
        f = self.folder()
        f.validity = f.validity or self.view.validity
        must(self.view.validity == f.validity, 'UIDVALIDITY changed')
        must(self.view.next > max(f.used, default=0) or f.pending,
             'UIDNEXT', self.view.next, 'of', f.used)

    # What must be so after what another program did may take a moment.
    def agree(self):
        f, end = self.folder(), time.monotonic() + PATIENCE
        while True:
            try:
                self.client.noop()
                self.compare()
                break
            except Wrong:
                if not f.foreign and not f.pending or \
                        time.monotonic() > end:
                    raise
                time.sleep(0.02)
        return f

    def compare(self):
        f, v = self.folder(), self.view
        fresh = [u for u in v.uids if u not in f.mail]
        if fresh and f.pending:
            self.recognize(f, [u for u in fresh if u not in f.used])
        must(v.uids == f.uids(), f.name, 'has', f.uids(), 'session',
             self.number, 'sees', v.uids)
        must(not f.pending, 'not there:', f.pending)
        for uid in v.uids:
            must(kept(v.flags[uid]) == f.mail[uid][1], f.name, uid, 'has',
                 sorted(f.mail[uid][1]), 'session', self.number, 'sees',
                 sorted(v.flags[uid]))

    def recognize(self, f, fresh):
        """Deliveries get their UIDs."""
        if not fresh:
            return
        for _, got in self.client('UID FETCH %s (%s)' % (
                sequence(fresh), MARK)).all('FETCH'):
            uid = got.get('UID')
            text = next((v for k, v in got.items() if k.startswith('BODY[')),
                        None)
            if text is None:
                continue # only its flags
            mark = text.split()[1].decode()
            must(mark in f.pending, 'what is', mark, 'in', f.name)
            f.add(uid, mark, f.pending.pop(mark))

    def some(self, most=4):
        """UIDs of the view."""
        f, uids = self.folder(), self.known()
        self.recognize(f, [u for u in uids if u not in f.used])
        return sorted(rng.sample(uids, min(len(uids), rng.randint(1, most))))

    def known(self):
        return [u for u in self.view.uids if u is not None]

    def named(self, uids):
        """('UID ', set) or ('', set)"""
        if rng.random() < 0.5:
            return 'UID ', sequence(uids)
        return '', sequence([self.view.uids.index(u) + 1 for u in uids])


# --- what comes to mind. Each: (session, model)

def op_noop(s, _):
    s.agree()


def op_check(s, _):
    s.client('CHECK')
    s.client.learn()


def op_select(s, _):
    s.select(rng.choice(FOLDERS))
    s.agree()


def op_examine(s, m):
    name = s.view.name
    s.client.select(name, 'EXAMINE')
    s.agree()
    if s.view.uids:
        r = s.client.run('STORE 1 +FLAGS (\\Flagged)')
        must(r.status == 'NO' or m.server.theirs, 'STORE after EXAMINE')
    s.select(name)


def op_close(s, m):
    """CLOSE expunges what is \\Deleted, without a word."""
    f = s.agree()
    s.client.unselect('CLOSE')
    for uid in f.uids():
        if '\\Deleted' in f.mail[uid][1]:
            del f.mail[uid]
    s.select(rng.choice(FOLDERS))


def op_unselect(s, m):
    s.client.unselect()
    s.select(rng.choice(FOLDERS))


def op_append(s, m):
    name, mark = rng.choice(FOLDERS), m.mark()
    flags = rng.sample(SYSTEM + KEYWORDS, rng.randrange(4))
    text = m.letter(mark)
    date = rng.choice(('', '"01-Feb-2003 04:05:06 +0100" '))
    r = s.client('APPEND %s (%s) %s' % (name, ' '.join(flags), date),
                 Literal(text))
    f = m.where[name]
    must(r.code[0] == 'APPENDUID', 'no APPENDUID')
    validity, (uid,) = r.code[1]
    must(f.validity in (None, validity), 'APPENDUID of another UIDVALIDITY')
    f.validity = validity
    f.add(uid, mark, flags)
    if s.view.name == name:
        s.client.noop()
        must(uid in s.view.uids, 'APPEND is not seen by its own session')
        n = s.view.uids.index(uid) + 1
        got = s.client('UID FETCH %d (BODY.PEEK[] RFC822.SIZE INTERNALDATE)' %
                       uid).fetched[n]
        must(got['BODY[]'] == text, 'APPEND has changed it')
        must(got['RFC822.SIZE'] == len(text), 'RFC822.SIZE')
        must(not date or same_time(got['INTERNALDATE']), got['INTERNALDATE'])


def same_time(text):
    """01-Feb-2003 04:05:06 +0100, in whatever zone."""
    import calendar
    day, clock, zone = text.strip().split()
    t = time.strptime(day + ' ' + clock, '%d-%b-%Y %H:%M:%S')
    off = int(zone[1:3]) * 3600 + int(zone[3:]) * 60
    return calendar.timegm(t) - (off if zone[0] == '+' else -off) == \
        1044068706


def op_deliver(s, m):
    name, mark = rng.choice(FOLDERS), m.mark()
    f = m.where[name]
    flags = rng.choice((None, None, [], ['\\Seen'], ['\\Flagged', '\\Seen']))
    m.drop(name, mark, flags)
    f.pending[mark] = frozenset(flags or [])
    f.foreign = True


def op_store(s, m):
    if not s.known():
        return
    f, uids = s.folder(), s.some()
    flags = frozenset(rng.sample(SYSTEM + KEYWORDS, rng.randint(0, 3)))
    sign, silent = rng.choice(('', '+', '-')), rng.choice(('', '.SILENT'))
    how, numbers = s.named(uids)
    before = list(s.view.uids)
    r = s.client.run('%sSTORE %s %sFLAGS%s (%s)' % (
        how, numbers, sign, silent, ' '.join(flags)))
    there = [u for u in uids if u in f.mail]
    must(r.status == 'OK' or len(there) < len(uids), 'STORE says', r.status,
         r.text)
    if r.status != 'OK':
        # Some were gone. What happened to the others is not said.
        f.foreign = True
        learn_flags(s, f, there)
        return
    told = {g.get('UID') or before[n - 1] for n, g in r.all('FETCH')
            if 'FLAGS' in g}
    for u in there:
        old = f.mail[u][1]
        f.mail[u][1] = apply(old, sign, flags)
        if silent:
            if u not in told and u in s.view.flags:
                # The client knows by itself.
                s.view.flags[u] = apply(s.view.flags[u], sign, flags)
        elif f.mail[u][1] != old:
            must(u in told, 'STORE does not tell of', u)


def apply(old, sign, flags):
    return (flags if sign == '' else old | flags if sign == '+' else
            old - flags)


def learn_flags(s, f, uids):
    other = s.model.server.client(1)
    other.select(f.name, 'EXAMINE')
    for u in uids:
        if u in other.view.flags:
            f.mail[u][1] = kept(other.view.flags[u])
    other.logout()


def op_expunge(s, _):
    f = s.agree()
    dead = [u for u in f.uids() if '\\Deleted' in f.mail[u][1]]
    if rng.random() < 0.5 and s.view.uids:
        uids = s.some(6)
        s.client('UID EXPUNGE ' + sequence(uids))
        dead = [u for u in dead if u in uids]
    else:
        s.client('EXPUNGE')
    must(not set(dead) & set(s.view.uids), 'EXPUNGE has left',
         set(dead) & set(s.view.uids))
    for u in dead:
        del f.mail[u]


def op_copy(s, m, verb='COPY'):
    if not s.known():
        return
    f, uids = s.folder(), s.some()
    to = m.where[rng.choice(FOLDERS)]
    if verb == 'MOVE':
        to = m.where[FOLDERS[f.name == FOLDERS[0]]]
    there = [u for u in uids if u in f.mail]
    how, numbers = s.named(uids)
    r = s.client.run('%s%s %s %s' % (how, verb, numbers, to.name))
    if r.status != 'OK':
        must(len(there) < len(uids), verb, 'says', r.status, r.text)
        must('COPYUID' not in r.codes(), 'COPYUID, but', r.status)
        return
    if not there and 'COPYUID' not in r.codes():
        return
    must('COPYUID' in r.codes(), 'no COPYUID')
    validity, source, target = r.codes()['COPYUID']
    must(to.validity in (None, validity), 'COPYUID of another UIDVALIDITY')
    to.validity = validity
    must(sorted(source) == there, verb, uids, 'of', there, 'gives', source)
    must(target == sorted(target), 'UIDs of copies descend')
    for a, b in zip(source, target):
        to.add(b, *f.mail[a])
    if verb == 'MOVE':
        for u in source:
            must(u not in s.view.uids, 'MOVE leaves', u)
            del f.mail[u]


def op_move(s, m):
    op_copy(s, m, 'MOVE')


def op_search(s, _):
    f = s.agree()
    flag = rng.choice(SYSTEM + KEYWORDS)
    words = {'\\Seen': 'SEEN', '\\Answered': 'ANSWERED', '\\Draft': 'DRAFT',
             '\\Flagged': 'FLAGGED', '\\Deleted': 'DELETED'}
    key = words.get(flag, 'KEYWORD ' + flag)
    wanted = [u for u in f.uids() if flag in f.mail[u][1]]
    if rng.random() < 0.5:
        key = 'NOT ' + key
        wanted = [u for u in f.uids() if u not in wanted]
    got = s.client('UID SEARCH ' + key).one('SEARCH')
    must(sorted(got) == wanted, key, 'finds', got, 'not', wanted)
    numbers = s.client('SEARCH ' + key).one('SEARCH')
    must([s.view.uids[n - 1] for n in sorted(numbers)] == wanted,
         'SEARCH', key)
    if f.mail:
        uid = rng.choice(f.uids())
        got = s.client('UID SEARCH HEADER X-Mark ' + f.mail[uid][0])
        wanted = [u for u in f.uids() if f.mail[u][0] == f.mail[uid][0]]
        must(sorted(got.one('SEARCH')) == wanted, 'SEARCH HEADER')


def op_fetch(s, _):
    if not s.known():
        return
    f, uids = s.folder(), s.some()
    how, numbers = s.named(uids)
    r = s.client.run('%sFETCH %s (FLAGS ENVELOPE %s)' % (how, numbers, MARK))
    there = [u for u in uids if u in f.mail]
    must(r.status == 'OK' or len(there) < len(uids), 'FETCH says', r.status)
    for n, got in r.all('FETCH'):
        if 'ENVELOPE' not in got:
            continue
        uid = got.get('UID') or s.view.uids[n - 1]
        if uid not in f.mail:
            continue
        mark = f.mail[uid][0]
        text = next(v for k, v in got.items() if k.startswith('BODY['))
        must(not text or text.split()[1].decode() == mark, uid, 'is', text)
        must(got['ENVELOPE'][1] == ('letter ' + mark).encode(), 'ENVELOPE')


def op_seen(s, _):
    """FETCH BODY[] sets \\Seen, and says so."""
    f = s.agree()
    if not s.known():
        return
    uid = rng.choice(s.view.uids)
    s.client('UID FETCH %d BODY[TEXT]' % uid)
    f.mail[uid][1] |= {'\\Seen'}
    must('\\Seen' in s.view.flags[uid], 'BODY[TEXT] sets no \\Seen')


def op_status(s, m):
    for other in m.where.values():
        if other.pending or other.foreign or other.name == s.view.name:
            continue
        r = s.client('STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)' %
                     other.name)
        name, got = r.one('STATUS')
        must(got['MESSAGES'] == len(other.mail), 'STATUS', got, len(other.mail))
        must(got['UIDNEXT'] > max(other.used, default=0), 'STATUS UIDNEXT')
        must(other.validity in (None, got['UIDVALIDITY']), 'UIDVALIDITY')
        must(got['UNSEEN'] == sum('\\Seen' not in fl
                                  for _, fl in other.mail.values()), 'UNSEEN')


def op_rename(s, m):
    """Another program changes flags."""
    f = s.agree()
    files = m.files(f.name)
    for uid in s.some(3) if s.view.uids else []:
        mark = f.mail[uid][0]
        if [x[0] for x in f.mail.values()].count(mark) > 1:
            continue
        path = files[mark]
        base, _, old = os.path.basename(path).partition(':2,')
        flags = frozenset(rng.sample(SYSTEM, rng.randrange(4)))
        more = ''.join(c for c in old if c.islower()) # its keywords
        os.rename(path, os.path.join(m.dir(f.name), 'cur', base + ':2,' +
                  ''.join(sorted(LETTERS[x] for x in flags)) + more))
        f.mail[uid][1] = flags | (f.mail[uid][1] & set(KEYWORDS))
        f.foreign = True
    # Before anybody else sets some: which of the two would win?
    s.agree()


def op_remove(s, m):
    """Another program removes a file."""
    f = s.agree()
    if not s.known():
        return
    uid = rng.choice(s.view.uids)
    mark = f.mail[uid][0]
    if [x[0] for x in f.mail.values()].count(mark) > 1:
        return
    os.unlink(m.files(f.name)[mark])
    del f.mail[uid]
    f.foreign = True


def op_idle(s, m):
    """What another session does comes by itself."""
    f = s.agree()
    other = m.client('other')
    mark = m.mark()
    uid = []

    def act():
        r = other('APPEND %s (todo) ' % f.name, Literal(m.letter(mark)))
        uid.append(r.code[1][1][0])
    have = len(s.view.uids)
    thread = threading.Timer(0.02, act)
    thread.start()
    good = s.client.idle(lambda: len(s.view.uids) > have)
    thread.join()
    other.logout()
    must(good, 'IDLE never hears of it')
    f.add(uid[0], mark, ['todo'])


def op_again(s, m):
    """It comes again."""
    if rng.random() < 0.5:
        s.client.logout()
    else:
        s.client.close()
    s.client = m.client(s.number)
    s.select(rng.choice(FOLDERS))


OPS_OF = ([op_noop] * 3 + [op_store] * 6 + [op_append] * 4 + [op_fetch] * 4 +
          [op_copy] * 2 + [op_move] * 2 + [op_expunge] * 2 + [op_deliver] * 3 +
          [op_search] * 2 + [op_rename] * 2 + [op_remove] + [op_check] +
          [op_select] * 2 + [op_examine, op_close, op_unselect, op_seen,
                             op_status, op_idle, op_again])


def quiesce(m):
    """All see what is so; flags are where they belong on disk, too."""
    for name in FOLDERS:
        f = m.where[name]
        for s in m.sessions:
            if s.view.name == name:
                s.agree()
        other = Session(m, 'a new one')
        other.select(name)
        other.agree()
        other.client.logout()
        f.foreign = False
        marks = sorted({x[0] for x in f.mail.values()})
        must(sorted(m.files(name)) == marks, 'files of', name, 'differ')


def talk(log):
    """Its end, without idle words."""
    return [repr(x)[1:-1][:240] for x in log
            if ' NOOP' not in x and ' OK done' not in x][-int(os.environ.get('TALK', '50')):]


def step(m, number):
    s = rng.choice(m.sessions)
    op = rng.choice(OPS_OF)
    m.trail.append('%d: %s by %d in %s' % (number, op.__name__[3:], s.number,
                                           s.view.name))
    m.log.append('--- ' + m.trail[-1])
    try:
        op(s, m)
        if number % 25 == 0:
            quiesce(m)
    except (Wrong, Bad, No, OSError, KeyError, ValueError) as e:
        return '\n'.join(
            ['%s: %s' % (type(e).__name__, str(e)[:1500])] +
            ['step ' + x for x in m.trail[-8:]] +
            talk(m.log) +
            traceback.format_exc().splitlines()[-8:])
    return None


# --- all at once

def crowd(m, steps):
    """Threads; what is acknowledged must be there. Troubles."""
    bad, keep, lock = [], {f: {} for f in FOLDERS}, threading.Lock()

    def mark():
        with lock:
            return m.mark()

    def one(number):
        r = random.Random(SEED + number)
        log = []
        try:
            c = m.server.client(1, log=log)
            c.select(r.choice(FOLDERS))
            for _ in range(steps):
                act(c, r)
            c.logout()
        except (Wrong, Bad, No, OSError) as e:
            bad.append('%r\n%s' % (e, '\n'.join(repr(x)[:300]
                                                for x in log[-12:])))

    def act(c, r):
        what = r.choice('append append store store fetch noop expunge copy '
                        'move deliver select'.split())
        uids = [u for u in c.view.uids if u]
        some = sequence(sorted(r.sample(uids, min(len(uids), 3)))) or '1'
        if what == 'append':
            name, my = r.choice(FOLDERS), mark()
            got = c('APPEND %s () ' % name, Literal(m.letter(my)))
            with lock:
                keep[name][got.code[1][1][0]] = my
        elif what == 'deliver':
            m.drop(r.choice(FOLDERS), mark())
        elif what == 'store':
            c.run('UID STORE %s %sFLAGS (%s)' % (
                some, r.choice('+-'), r.choice(SYSTEM[:3] + KEYWORDS)))
        elif what == 'fetch':
            c.run('UID FETCH %s (FLAGS ENVELOPE %s)' % (some, MARK))
        elif what == 'expunge':
            # Only copies are ever deleted; see below.
            got = c.run('UID COPY %s %s' % (some, c.view.name))
            new = got.codes().get('COPYUID')
            if new and new[2]:
                c.run('UID STORE %s +FLAGS.SILENT (\\Deleted)' %
                      sequence(new[2]))
                c('UID EXPUNGE ' + sequence(new[2]))
        elif what in ('copy', 'move'):
            to = FOLDERS[c.view.name == FOLDERS[0]]
            got = c.run('UID COPY %s %s' % (some, to))
            new = got.codes().get('COPYUID')
            if what == 'move' and new and new[2]:
                # The copy moves back.
                c.select(to)
                c.run('UID MOVE %s %s' % (sequence(new[2]),
                                          FOLDERS[to == FOLDERS[0]]))
        elif what == 'select':
            c.select(r.choice(FOLDERS))
        c.noop()

    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    return bad, keep


def after_crowd(m, keep):
    """Fresh sessions agree with each other, with old ones, with the files;
    nothing acknowledged is missing."""
    for name in FOLDERS:
        seen, end = None, time.monotonic() + PATIENCE
        while True:
            a, b = m.server.client(1), m.server.client(1)
            a.select(name)
            b.select(name, 'EXAMINE')
            now = {u: kept(a.view.flags[u]) for u in a.view.uids}
            same = now == {u: kept(b.view.flags[u]) for u in b.view.uids}
            marks = {n: g for n, g in a('FETCH 1:* (%s)' % MARK)
                     .fetched.items()} if a.view.uids else {}
            seen = {a.view.uids[n - 1]: next(
                v for k, v in g.items()
                if k.startswith('BODY[')).split()[1].decode()
                for n, g in marks.items()}
            a.logout()
            b.logout()
            if same and sorted(set(seen.values())) == sorted(m.files(name)):
                break
            must(time.monotonic() < end, name, 'does not settle')
            time.sleep(0.05)
        for uid, mark in keep[name].items():
            must(seen.get(uid) == mark, name, uid, 'was', mark, 'is',
                 seen.get(uid))
        f = m.where[name]
        for s in m.sessions:
            if s.view.name == name:
                s.client.noop()
                must(s.view.uids == sorted(seen), 'an old session sees',
                     s.view.uids, 'not', sorted(seen))
        f.mail = {u: [seen[u], now[u]] for u in seen}
        f.used |= set(seen)
        f.pending.clear()


t = Tap()
where = tempfile.mkdtemp(prefix='postern-m.')
os.chmod(where, 0o755)
print('# SEED=%d OPS=%d' % (SEED, OPS), flush=True)
server = Server(os.path.join(where, 'inst'), 1)
try:
    model = Model(server)
    first = server.client(1)
    first('CREATE ' + FOLDERS[1])
    first.logout()
    for i in range(4):
        model.sessions.append(Session(model, i))
        model.sessions[-1].select(FOLDERS[i % 2])
    wrong = None
    for number in range(1, OPS + 1):
        wrong = step(model, number)
        if wrong:
            break
    t.ok(not wrong, '%d steps: all is as the model has it' % OPS, wrong)
    if not wrong:
        bad, keep = crowd(model, OPS // 10)
        t.ok(not bad, 'all at once: nobody breaks a rule', '\n'.join(bad))
        try:
            after_crowd(model, keep)
            quiesce(model)
            t.ok(True, 'and they agree afterwards')
        except (Wrong, Bad, No) as e:
            t.ok(False, 'and they agree afterwards',
                 str(e)[:3000] + '\n' + traceback.format_exc())
    t.same(server.stop(), 0, 'it stops')
finally:
    server.stop()
    if not os.environ.get('KEEP'):
        shutil.rmtree(where, ignore_errors=True)
t.done()
