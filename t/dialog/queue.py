"""queue, from submission to the end of a message, and what restarts find."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from keeper import (BOUNCED, DOMAIN, HELD, LATER, NEVER, OK, RELEASED, RESULT,
                    Queue, qid_old, qid_text, record, spool_file)

t = Tap()
ANN, BOB, CARL = ('%s@%s' % (u, DOMAIN) for u in ('ann', 'bob', 'carl'))
SENDER = 'sender@example.net'
SMALL = b'Subject: small\n\nbody\n'
LARGE = b'Subject: large\n\n' + b'a line of a large message\n' * 8000


def settled(q):
    """Nothing is under way: all that is in the queue waits or is held."""
    return q.pump(lambda: '"active"' not in q.ctl('list', '--json')[1])


def after(results, name=None, held=False, **kw):
    """A file whose log says so."""
    log = b''.join(record(*r) if isinstance(r, tuple) else r for r in results)
    return spool_file(SENDER, [ANN, BOB], SMALL, log=log, **kw)


# --- the usual way

with Queue(retry_min='1h') as q:
    q.start()
    got = q.ask(SENDER, [ANN, BOB], SMALL)
    t.same(got[:3], (250, '2.0.0', 'queued'), 'a small message is taken')
    t.ok(q.empties(), 'it is delivered and leaves')
    t.same(sorted(a for _, a in q.delivered), [ANN, BOB], 'to both')
    t.ok(q.jobs[0]['inline'] and q.jobs[0]['body'] == SMALL and
         q.jobs[0]['qid'] == got[3], 'inline')
    got = q.ask_large(SENDER, [ANN], LARGE)
    t.same(got[0], 250, 'a large message is taken')
    t.ok(q.empties() and not q.jobs[-1]['inline'] and
         q.jobs[-1]['body'] == LARGE, 'and delivered from its file')
    got = q.ask_large(SENDER, [ANN], b'')
    t.ok(got[0] == 250 and q.empties() and q.jobs[-1]['body'] == b'',
         'an empty one', got)
    got = q.open_large(SENDER, [ANN])
    os.write(q.files.pop(got[3]), b'half')
    n = q.commit_large(got[3], SENDER, [ANN], 9, 0)
    q.pump(lambda: n in q.answers)
    t.ok(q.answers[n][0] == 451 and q.empties(),
         'a body that is not as long as said is refused', q.answers[n])
    n = q.commit_large(12345, SENDER, [ANN], 9, 0)
    q.pump(lambda: n in q.answers)
    t.same(q.answers[n][0], 451, 'a file that nobody opened')
    q.open_large(SENDER, [ANN])
    t.ok(len(q.names()) == 1, 'an open one')
    q.smtpd.close()
    t.ok(q.empties(), 'goes with its smtpd')
    t.same(q.stop(), 0, 'it stops')

# --- what a start finds

names = [qid_old(i) for i in range(20)]
with Queue(retry_min='1h') as q:
    lots = [record(RESULT, 1, 451, 2000000000, '4.2.2', 'x' * 500)
            for _ in range(9000)]
    q.put(names[0], spool_file(SENDER, [ANN], SMALL))
    q.put(names[1], spool_file(SENDER, [ANN], SMALL, whole=False))
    q.put(names[2], spool_file(SENDER, [ANN], SMALL)[:40])
    q.put(names[3], b'')
    q.put(names[4], spool_file(SENDER, [ANN], SMALL)[:-1])
    q.put(names[5], spool_file(SENDER, [ANN], SMALL)[:100])
    q.put(names[6], spool_file(SENDER, [ANN], SMALL).replace(b'body', b'bodi'))
    q.put(names[7], b'x' * 200)
    q.put('stray', b'x')
    q.put(names[8], after([(RESULT, 0, 250)]))
    q.put(names[9], after([(HELD,)]))
    q.put(names[10], after([(HELD,), (RELEASED,)]))
    q.put(names[11], after([(RESULT, 0, 250), (RESULT, 1, 250)]))
    q.put(names[12], after([(RESULT, 0, 250), b'\0\0\0\x20torn']))
    q.put(names[13], after(lots + [record(HELD)]))
    q.put(names[14], spool_file(SENDER, [ANN], LARGE))
    q.policy = lambda address, job: LATER
    q.start()
    settled(q)
    to = {}
    for job in q.jobs:
        to.setdefault(qid_text(job['qid']), []).extend(
            a for _, a, _, _ in job['to'])
    t.same(sorted(q.names('corrupt')), sorted(names[4:8] + ['stray']),
           'what is damaged is set aside')
    t.same(q.names(), sorted([names[0]] + names[8:11] + names[12:15]),
           'what is whole stays, what was not finished goes')
    t.same(to.get(names[8]), [BOB], 'who was delivered to is not again')
    t.same(to.get(names[12]), [BOB], 'also if the log is torn behind it')
    t.same((names[9] in to, names[10] in to, names[13] in to),
           (False, True, False), 'what is held waits, behind any log')
    t.same(q.count(), 7, 'all are counted')
    t.ok('corrupt' in q.log_so_far() and 'body is damaged' in q.log_so_far(),
         'the log says what and why')
    with open(os.path.join(q.spool, 'queue', names[12]), 'rb') as f:
        t.ok(b'torn' not in f.read(), 'the torn record is overwritten')
    # A log of more than four megabytes: released, tried, counted.
    q.jobs.clear()
    status, text, _ = q.ctl('release', names[13])
    t.ok(status == 0 and q.pump(lambda: q.jobs) and
         [a for _, a, _, _ in q.jobs[0]['to']] == [ANN, BOB],
         'a log of any length is read', (status, text))
    settled(q)
    q.policy = lambda address, job: OK
    for _ in range(3):
        q.ctl('release', 'recipient=' + ANN)
        q.ctl('flush')
        settled(q)
    q.ctl('release', names[9])
    t.ok(q.empties(), 'all leave', q.names())
    t.same(q.stop(), 0, 'it stops')

t.done()
