"""Power fails after any system call of the queue. Whatever of the unsynced
the disk has kept then: what was acknowledged is delivered or bounced by the
next start, as it was, and nothing stays behind.

First with nothing else wrong, at each call; then some of the calls failed
before, or the queue was killed and started again (a cut within the second
life finds what two crashes leave).

IMAGES: so many disks at most of each of the latter (12).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import SAN, Tap
from fault import (ANN, DORA, EXIT, FAIL, LIE, NOT, Harassed, Stuck, need)
from keeper import Gone, Queue
from power import Disk

need()
t = Tap()
IMAGES = int(os.environ.get('IMAGES', '4' if SAN else '12'))


class Life:
    """A queue's work, and its journal."""

    def __init__(self, how=NOT, at=0):
        with Harassed() as q:
            self.root = os.stat(q.spool).st_ino
            q.faults.set(how, at)
            q.up()
            q.work()
            q.settle()
            q.alive()
            q.stop()
            self.rows = list(q.faults.rows())
            self.overflow = q.faults.overflow
            self.what = q.faults.what
            self.q = q
        self.address = {(j['qid'], index): a for j in q.jobs
                        for index, a, _, _ in j['to']}

    def disks(self):
        """[(row, what, image, acknowledged, delivered)]: all there may be.
        The same image counts again when something else is owed."""
        disk, seen = Disk(self.root, self.q.bodies), {}
        for n, row in enumerate(self.rows):
            disk.play(*row)
            got = frozenset((qid, self.address[qid, i])
                            for qid, i, code in disk.results if code == 250)
            acked = frozenset(disk.acked)
            for what, image in disk.images().items():
                key = repr(image and sorted(image.items())), acked, got
                seen.setdefault(key, (n, what, image, acked, got))
        return sorted(seen.values(), key=lambda d: d[:2])


def troubles(life, disk):
    """What is wrong after a start with this disk."""
    n, what, image, acked, before = disk
    q = life.q
    where = '%s, row %d (%s)' % (what, n, life.rows[n][0])
    if image is None:
        return ['%s: the directory is gone' % where] if acked else []
    with Queue(retry_min='1s') as after:
        for name, data in image.items():
            after.put(name, data)
        after.start()
        empty = after.pump(
            lambda: after.ctl('flush') and not after.names())
        # A 250 that nobody had read by then has promised nothing.
        owed = {qid: q.acked[qid] for qid in acked if qid in q.acked}
        bad = q.books(owed, before | set(after.delivered), after.jobs)
        if not empty:
            bad.append('left: %s' % after.names())
        bad += ['%s is changed' % q.acked[j['qid']].mark for j in after.jobs
                if j['qid'] in q.acked and
                j['body'] != q.acked[j['qid']].body]
        if after.proc.poll() is not None:
            bad.append('the queue died')
    return ['%s: %s' % (where, b) for b in bad]


def some(disks, most):
    """Not more than that, from everywhere."""
    step = max(1, -(-len(disks) // most))
    return disks[::step]


def check(life, disks, name):
    bad = [b for d in disks for b in troubles(life, d)]
    t.ok(not bad and not life.overflow, name, '\n'.join(bad))


# --- a disk that lies is noticed: this test can fail

with Harassed() as q:
    q.up()
    root = os.stat(q.spool).st_ino
    q.insist([q.mail(DORA, [ANN])])
    q.settle()
    q.faults.set(LIE)
    q.insist([q.mail(DORA, [ANN])])
    q.stop()
    disk, found = Disk(root, q.bodies), 0
    for row in q.faults.rows():
        disk.play(*row)
        found += len(disk.acked) == 2 and any(
            not any(image.values()) for image in disk.images().values())
    t.ok(found > 0, 'without fsync(2) mail would be lost')

# --- nothing else wrong

life = Life()
disks = life.disks()
print('# %d calls and packets, %d disks' % (len(life.rows), len(disks)))
check(life, some(disks, 20) if SAN else disks,
      'power fails anywhere: nothing acknowledged is lost')

# --- something else is

calls = max(row[1] for row in life.rows)
syncs = [row[1] for row in life.rows if row[0] == 's']


def then(how, at, name):
    """Power fails soon after."""
    try:
        second = Life(how, at)
    except (Stuck, Gone) as e:
        t.ok(False, 'call %d %s' % (at, name), e)
        return
    near = [d for d in second.disks()
            if at <= second.rows[d[0]][1] <= at + 40]
    check(second, some(near, IMAGES),
          'call %d (%s) %s, then power does' % (at, second.what, name))


for call in some(syncs, 6):
    then(FAIL, call, 'fails')
for call in range(2, calls, calls // 6):
    then(EXIT, call, 'is its last')
t.done()
