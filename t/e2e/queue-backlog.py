"""Very many deferred messages: the start is quick, memory small,
the count right, a list whole, and mail goes on meanwhile.

BACKLOG: how many (30000).
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, SAN, Tap
from keeper import DOMAIN, RESULT, Queue, qid_old, record, spool_file

t = Tap()
LONG = 4 * PATIENCE # the disk may be somebody else's, too
ANN = 'ann@' + DOMAIN
SENDER = 'sender@example.net'
MANY = int(os.environ.get('BACKLOG', '10000' if SAN else '30000'))


def memory(q, what):
    with open('/proc/%d/status' % q.proc.pid, encoding='ascii') as f:
        for line in f:
            if line.startswith(what):
                return int(line.split()[1])
    return 0


with Queue() as q:
    log = record(RESULT, 0, 451, time.time() + 1800, '4.4.1',
                 'no answer from mail.example.com')
    data = spool_file(SENDER, ['somebody@example.com'],
                      b'Subject: x\n\n' + b'line of text\n' * 80, log=log)
    q.put(qid_old(0), data)
    where = os.open(os.path.join(q.spool, 'queue'), os.O_RDONLY)
    for i in range(1, MANY):
        fd = os.open(qid_old(i), os.O_WRONLY | os.O_CREAT, 0o600,
                     dir_fd=where)
        os.write(fd, data)
        os.close(fd)
    os.close(where)

    begin = time.monotonic()
    q.start()
    n = q.submit(SENDER, [ANN], b'Subject: y\n\n')
    q.pump(lambda: n in q.answers)
    first = time.monotonic() - begin
    t.ok(q.answers[n][0] == 250, 'new mail is taken during the scan')
    t.ok(q.pump(lambda: q.delivered), 'and delivered')
    t.ok(q.pump(lambda: 'ev=scan' in q.log_so_far()), 'the scan ends')
    took = time.monotonic() - begin
    q.pump(lambda: q.count() == MANY) # the new one may be leaving yet
    t.same(q.count(), MANY, 'all are counted')
    rss = memory(q, 'VmRSS')
    print('# first answer %.2f s, scan of %d %.1f s, VmRSS %d KiB' % (
        first, MANY, took, rss))
    if not SAN:
        t.ok(rss < 40 * 1024, 'memory is small', rss)

    begin = time.monotonic()
    status, text, why = q.ctl('list', wait=LONG)
    took = time.monotonic() - begin
    t.ok(status == 0 and text.count('somebody@example.com') == MANY,
         'a list is whole', (status, why, text.count('somebody@example.com')))
    print('# list: %.1f s, %d bytes' % (took, len(text)))
    begin = time.monotonic()
    status, text, why = q.ctl('hold', 'sender=' + SENDER, wait=LONG)
    t.ok(status == 0 and text.count('held') == MANY, 'all are held',
         (status, why))
    status, text, why = q.ctl('remove', 'destination=example.com',
                              wait=LONG)
    t.ok(status == 0 and q.count() == 0 and not q.names(), 'all are removed',
         (status, why, q.count()))
    print('# hold, remove: %.1f s' % (time.monotonic() - begin))
    if not SAN:
        t.ok(memory(q, 'VmHWM') < 60 * 1024, 'and memory stays small',
             memory(q, 'VmHWM'))
    t.same(q.stop(), 0, 'it stops')
t.done()
