"""The spool's disk is full for a while, or answers nothing but errors, or no
descriptor is free, from any system call of the queue on; or a write is short.
Clients are told to come again, the queue lives on, and when it is over all
goes its way without a restart. A full disk makes nobody get a message twice.

FAULTS: so many points where it begins, of each kind (12).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import SAN, Tap
from fault import (ANN, BOB, CARL, DEAD, DORA, FILES, FULL, NOT, NO_ROOM,
                   SHORT, Harassed, Stuck, need)
from keeper import LATER, OK, Gone

need()
t = Tap()
FAULTS = int(os.environ.get('FAULTS', '4' if SAN else '12'))
START = 7  # the first call after directories are made and opened
SPACE, TROUBLE = (452, '4.3.1'), (451, '4.3.0')
ANSWERS = {FULL: [SPACE], DEAD: [TROUBLE], FILES: [TROUBLE],
           SHORT: [SPACE, TROUBLE]}


def asked_once(q):
    """One of each kind, once; those that were refused."""
    groups = [[q.mail(DORA, [ANN])], [q.mail(DORA, [ANN, BOB, CARL])],
              [q.mail(DORA, [ANN, BOB], True)],
              [q.mail(DORA, [ANN]), q.mail(DORA, [BOB]), q.mail('', [CARL])]]
    return [again for again in map(q.once, groups) if again]


def trouble(how, at):
    """What was wrong with it, or None; how many copies too many."""
    with Harassed() as q:
        q.up()
        pid = q.proc.pid
        q.faults.set(how, at)
        try:
            refused = asked_once(q)
            for _ in range(3):  # mail that waits is tried in vain
                q.ctl('flush')
                q.pump(lambda: False, 0.02)
            q.faults.set(NOT)
            for mails in refused:
                q.insist(mails)
            q.settle()
        except (Gone, Stuck) as e:
            return '%s: %r' % (q.faults.what, e), 0
        bad = q.missing() + ['%s is changed' % m for m in q.changed()]
        bad += ['%d %s' % r[:2] for r in q.refused
                if r[:2] not in ANSWERS[how]]
        bad += ['corrupt: ' + name for name in q.names('corrupt')]
        if q.proc.pid != pid:
            bad.append('it had to be restarted')
        if q.stop() != 0:
            bad.append('it does not stop')
        return (q.faults.what + ': ' + ', '.join(bad) if bad else None,
                q.twice())


with Harassed() as q:
    q.up()
    asked_once(q)
    q.settle()
    calls = q.faults.calls
for how, name in ((FULL, 'the disk is full'), (DEAD, 'the disk does not answer'),
                  (FILES, 'no descriptor is free'), (SHORT, 'a write is short')):
    bad, copies = [], 0
    points = range(START, calls, max(1, (calls - START) // FAULTS))
    for at in points:
        wrong, more = trouble(how, at)
        copies += more
        if wrong:
            bad.append('from call %d on: %s' % (at, wrong))
    t.ok(not bad, '%s: come again, and nothing is lost' % name,
         '\n'.join(bad))
    if how in (FULL, SHORT):
        t.same(copies, 0, '%s: nobody gets it twice' % name)

# --- the file system says that there is no room, and then that there is

with Harassed() as q:
    q.up()
    slow = 0
    for _ in range(3):
        q.faults.set(NO_ROOM)
        q.refused.clear()
        for _ in range(40):  # it need not ask each time
            if q.once([q.mail(DORA, [ANN])]):
                break
            q.pump(lambda: False, 0.05)
        t.same(q.refused[-1:] and q.refused[-1][:2], SPACE,
               'no room: come again')
        q.faults.set(NOT)
        slow += len(q.once([q.mail(DORA, [ANN])]))
    t.same(slow, 0, 'room again: taken at once')

# --- a file that cannot be removed is no message any more

with Harassed() as q:
    q.up()
    q.policy = lambda address, job: None
    q.insist([q.mail(DORA, [ANN])])
    q.pump(lambda: q.silent)
    q.faults.set(DEAD)
    sock, qid, index = q.silent[0]
    q.policy = lambda address, job: OK
    q.say(sock, [(qid, index) + OK])
    q.pump(lambda: 'ev=remove' in q.log_so_far())
    q.ctl('flush')
    t.ok(q.names() and q.count() == 0, 'it does not count')
    q.faults.set(NOT)
    t.ok(q.empties() and len(q.jobs) == 1, 'it goes later, by itself')
    # Results that could not be written are remembered.

    def full(address, _):
        q.faults.set(FULL)
        return LATER if address == BOB else OK

    q.policy = full
    q.jobs.clear()
    q.insist([q.mail(DORA, [ANN, BOB])])
    q.pump(lambda: q.jobs and 'ev=log' in q.log_so_far())
    for _ in range(3):
        q.ctl('flush')
        q.pump(lambda: False, 0.02)
    t.ok(q.ctl('list')[1].count(' to <') == 1,
         'the list tells whom it still waits for', q.ctl('list')[1])
    file = os.path.join(q.spool, 'queue', q.names()[0])
    size = os.path.getsize(file)
    q.policy = lambda address, job: LATER
    q.faults.set(NOT)
    q.ctl('flush')
    q.pump(lambda: os.path.getsize(file) > size)
    q.kill()
    q.jobs.clear()
    q.policy = lambda address, job: OK
    q.up()
    q.settle()
    t.same([a for j in q.jobs for _, a, _, _ in j['to']], [BOB],
           'and are in the file when there is room again')
t.done()
