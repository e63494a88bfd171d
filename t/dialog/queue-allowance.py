"""queue: what one user may send in an hour, counted for all of smtpd at once:
messages and recipients, large and small, and who is not counted."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from keeper import Queue

ANN, BOB = 'ann@example.org', 'bob@example.org'
MANY = ['bob+%d@example.org' % i for i in range(6)]
t = Tap()


def codes(q, n, login, rcpts=(ANN,)):
    return [q.ask(ANN, list(rcpts), login=login)[0] for _ in range(n)]


with Queue(user_messages='3', user_recipients='10',
           unlimited_users='list@example.org UID=38') as q:
    q.start()
    t.same(codes(q, 4, ANN), [250, 250, 250, 450], 'messages have their limit')
    got = q.ask(ANN, [ANN], login=ANN)
    t.ok(got[1] == '4.7.1' and 'hour' in got[2], 'which is told', got)
    t.same(q.open_large(ANN, [ANN], login=ANN)[0], 450,
           'a large one is not even begun')
    t.same(codes(q, 1, BOB), [250], 'others may go on')
    t.same(codes(q, 4, 'uid=1000'), [250, 250, 250, 450],
           'local accounts have theirs')
    for who in ('', 'uid=0', 'uid=38', 'list@example.org'):
        t.same(codes(q, 5, who), [250] * 5, 'not for %r' % who)
    t.same(codes(q, 3, 'eve@example.org', MANY), [250, 450, 450],
           'recipients have their limit')
    t.same(codes(q, 1, 'eve@example.org', MANY[:4]), [250], 'to the last one')
    begun = [q.open_large(ANN, [ANN], login='joe@example.org')[3]
           for _ in range(4)]
    ends = []
    for qid in begun:
        os.close(q.files.pop(qid))
        n = q.commit_large(qid, ANN, [ANN], 0, 0, login='joe@example.org')
        q.pump(lambda: n in q.answers)
        ends.append(q.answers[n][0])
    t.same(ends, [250, 250, 250, 450], 'large ones begun at once, too')
    log = [l for l in q.log_so_far().splitlines() if 'ev=limit' in l]
    t.ok(len([l for l in log if ANN in l]) == 1 and
         'what=user-messages' in log[0], 'the log says it once', log)
    q.stop()
t.done()
