"""queue, from submission to the end of a message, and what restarts find."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from keeper import (DOMAIN, HELD, LATER, OK, RELEASED, RESULT, Queue, envelope,
                    qid_old, qid_text, record, spool_file)
from wire import SUBMIT, send, span, u32, u64

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
    with_id = b'Received: by x id 0123456789A;\n\nx'
    got = q.ask(SENDER, [ANN], with_id, id_at=18)
    t.ok(got[0] == 250 and q.empties() and q.jobs[-1]['body'] ==
         with_id.replace(b'0123456789A', qid_text(got[3]).encode()),
         'its id stands where smtpd left room for it', q.jobs[-1]['body'])
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
    q.scanned()
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

# --- workers that lie, die, hang

def lie(q, *results):
    """What a worker says in place of the truth; is it cut off?"""
    q.policy = lambda address, job: None
    before = len(q.silent)
    q.ask(SENDER, [ANN, BOB], SMALL)
    q.pump(lambda: len(q.silent) > before)
    sock, qid, _ = q.silent[-1]
    q.policy = lambda address, job: OK
    q.say(sock, [(qid + a, b, *c) for a, b, c in results])
    cut = q.pump(lambda: sock.fileno() == -1)
    return cut and q.empties()


with Queue() as q:
    q.start()
    t.ok(lie(q, (1, 0, OK)), 'a result for a message it was not given')
    t.ok(lie(q, (0, 2, OK)), 'for a recipient that there is not')
    t.ok(lie(q, (0, 0, OK), (0, 0, OK)), 'the same one twice')
    t.ok(lie(q, (0, 0, (0, '', ''))), 'a code that is none')
    t.ok(lie(q, (0, 0, (354, '', ''))), 'one that is no end')
    t.same(len([d for d in q.delivered if d[1] == BOB]), 5,
           'each is delivered by the next one')
    # Line ends in its text: nobody else's results are lost.
    q.policy = lambda address, job: (
        (451, '4.2.2', 'a\nb\0c') if address == ANN else OK)
    q.delivered.clear()
    got = q.ask(SENDER, [ANN, BOB, CARL], SMALL)
    settled(q)
    q.kill()
    q.start()
    q.policy = lambda address, job: OK
    q.delivered.clear()
    q.scanned()
    q.ctl('flush')
    t.ok(q.empties() and [a for _, a in q.delivered] == [ANN],
         'a result of any bytes hides no other', q.delivered)
    # A worker that always dies.
    q.policy = lambda address, job: None
    q.ask(SENDER, [ANN, BOB], SMALL)
    for _ in range(3):
        q.pump(lambda: q.silent)
        q.silent.pop()[0].close()
        q.silent.clear()
    t.ok(settled(q) and 'died, more than once' in q.ctl('list')[1],
         'a message that kills its workers waits')
    q.jobs.clear()
    q.policy = lambda address, job: OK
    q.ctl('flush')
    t.ok(q.empties(), 'and has another chance')
    # One that is dead already when it gets a job.
    q.pump(lambda: q.workers)
    os.kill(q.proc.pid, 19)
    n = q.submit(SENDER, [ANN], SMALL)
    q.workers[0].close()
    q.workers.clear()
    os.kill(q.proc.pid, 18)
    t.ok(q.pump(lambda: n in q.answers) and q.empties(), 'nobody waits because of a worker that was gone')
    q.worker_says = lambda: 'no more processes'
    q.workers[0].close()
    q.workers.clear()
    q.ask(SENDER, [ANN], SMALL)
    t.ok(settled(q) and 'no more processes' in q.ctl('list')[1],
         'without a process mail waits')
    t.same(q.stop(), 0, 'it stops')

with Queue(deliver_timeout='1s', local_concurrency='1') as q:
    q.start()
    q.policy = lambda address, job: None
    for i in range(40):
        q.ask(SENDER, [ANN], SMALL)
    t.ok(settled(q) and 'does not answer' in q.ctl('list')[1] and
         q.count() == 40, 'a worker that says nothing is given up')
    q.policy = lambda address, job: OK
    # This process may be late, too.
    t.ok(q.pump(lambda: q.ctl('flush') and not q.names()),
         'its mail is delivered later')
    t.same(q.stop(), 0, 'it stops')

# More than a job holds to one owner, from a file.
with Queue() as q:
    q.accounts += ['u%d' % i for i in range(250)]
    q.start()
    many = ['u%d@%s' % (i, DOMAIN) for i in range(250)]
    t.same(q.ask_large(SENDER, many, LARGE)[0], 250, 'many recipients')
    t.ok(q.empties() and sorted(a for _, a in q.delivered) == sorted(many) and
         len(q.jobs) == 3, 'take several jobs, each gets one copy',
         len(q.jobs))
    t.same(q.stop(), 0, 'it stops')

# Aliases: all final recipients, or none.
with Queue(aliases={'half': ','.join('h%d@far.example' % i
                                     for i in range(900)),
                    'more': ','.join('m%d@far.example' % i
                                     for i in range(900)),
                    'rest': ','.join('r%d@far.example' % i
                                     for i in range(201))}) as q:
    q.elsewhere = lambda address, job: LATER
    q.start()
    lists = ['%s@%s' % (a, DOMAIN) for a in ('half', 'more', 'rest')]
    got = q.ask(SENDER, lists, SMALL)
    t.ok(got[0] == 452 and not q.names(),
         'too many final recipients: none is left out quietly', got)
    got = q.ask(SENDER, lists[:2] + [ANN], SMALL)
    text = q.ctl('list', '--json')[1]
    t.ok(got[0] == 250 and settled(q) and text.count('@far.example') == 1800,
         'as many as may be: all are there',
         text.count('@far.example'))
    # What nobody takes waits; the administrator decides.
    t.same(q.ctl('remove', 'destination=far.example')[0], 0, 'removed')
    t.ok(q.empties() and q.count() == 0, 'is gone')
    # Asked about in the same turn in which it comes.
    q.policy = lambda address, job: LATER
    q.ask(SENDER, [ANN], SMALL)
    for i in range(30):
        os.kill(q.proc.pid, 19)
        n = q.submit(SENDER, [ANN, 'far@far.example'], SMALL)
        both = threading.Timer(0.02, os.kill, (q.proc.pid, 18))
        both.start()
        q.ctl('remove', 'sender=' + SENDER)
        q.pump(lambda: n in q.answers)
    t.ok(q.answers[n][0] == 250, 'a message that only just comes is left alone')
    settled(q)
    q.ctl('remove', 'sender=' + SENDER)
    t.ok(q.empties(), 'it can be removed then')
    n = q.submit(SENDER, [ANN], b'x')
    q.pump(lambda: n in q.answers)
    send(q.smtpd, SUBMIT, u64(0) + u64(1) + u32(7) + u32(0) + envelope(SENDER, [ANN]) +
         span('x'))
    t.ok(q.pump(lambda: q.smtpd.fileno() == -1),
         'a checksum that does not agree ends smtpd, not the message')
    q.proc.poll()
    t.same(q.stop(), 0, 'it stops')

t.done()
