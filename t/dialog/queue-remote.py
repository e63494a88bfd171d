"""queue's other side: next hops, their windows, relay processes that die."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from keeper import (DOMAIN, HOST, LMTP, LMTP_UNIX, LOCAL, MX, Queue, qid_text)

t = Tap()
ANN = 'ann@' + DOMAIN
SENDER = 'sender@example.net'
BODY = b'Subject: x\n\nbody\n'
LARGE = b'Subject: large\n\n' + b'a line of a large message\n' * 8000
SAID = (250, '2.0.0', 'taken as 4711', 'mx.far.example[192.0.2.1]:25')
NOBODY = (451, '4.4.1', 'connection refused', 'mx.far.example[192.0.2.1]:25',
          True)
GREY = (451, '4.7.1', 'greylisted', 'mx.far.example[192.0.2.1]:25')
NEVER = (550, '5.1.1', 'no such user', 'mx.far.example[192.0.2.1]:25')


def hops(q):
    return [(j['transport'], j['host'], j['port']) for j in q.jobs]


def listed(q):
    return [json.loads(line)
            for line in q.ctl('list', '--json')[1].splitlines()]


def settled(q):
    return q.pump(lambda: all(m['state'] != 'active' for m in listed(q)))


def open_jobs(q, domain):
    return [j for j in q.silent if j[3] == domain]


# --- where mail goes

with Queue() as q:
    q.transport = {'hub.example': 'relay:[hub.internal]:2525',
                   'by.example': 'relay:smart.example',
                   'port.example': 'relay:smart.example:26',
                   '.lmtp.example': 'lmtp:[::1]:24',
                   'sock.example': 'lmtp:unix:/run/l.sock',
                   'gone.example': 'error:5.1.6 gone away',
                   'hole.example': 'discard',
                   'dora@' + DOMAIN: 'lmtp:box.example'}
    q.elsewhere = lambda address, job: SAID
    q.start()
    for to, want in (
            ('a@far.example', (MX, 'far.example', 0)),
            ('a@[192.0.2.9]', (HOST, '192.0.2.9', 0)),
            ('a@hub.example', (HOST, 'hub.internal', 2525)),
            ('a@by.example', (MX, 'smart.example', 0)),
            ('a@port.example', (MX, 'smart.example', 26)),
            ('a@b.lmtp.example', (LMTP, '::1', 24)),
            ('a@sock.example', (LMTP_UNIX, '/run/l.sock', 0)),
            ('dora@' + DOMAIN, (LMTP, 'box.example', 0)),
            (ANN, (LOCAL, '', 0))):
        q.jobs.clear()
        q.ask(SENDER, [to], BODY)
        t.ok(q.empties() and hops(q) == [want], '%s goes to %s' % (to, want),
             hops(q))
    log = q.log_so_far()
    t.ok('host="mx.far.example[192.0.2.1]:25"' in log and
         'said="taken as 4711"' in log, 'the log tells who took it')
    q.jobs.clear()
    q.ask(SENDER, ['a@hole.example'], BODY)
    t.ok(q.empties() and not q.jobs and
         q.pump(lambda: 'ev=discarded' in q.log_so_far()),
         'what is discarded goes nowhere')
    q.ask(ANN, ['a@gone.example'], BODY)
    t.ok(q.empties() and len(q.jobs) == 1 and
         b'gone away' in q.jobs[0]['body'] and
         b'Status: 5.1.6' in q.jobs[0]['body'], 'an error is reported')
    # One job for a smarthost, whatever the domains; one for each MX.
    q.jobs.clear()
    q.ask(SENDER, ['a@hub.example', 'b@hub.example', 'c@far.example',
                   'd@far.example', 'e@far2.example', ANN], BODY)
    t.ok(q.empties() and sorted(len(j['to']) for j in q.jobs) == [1, 1, 2, 2],
         'recipients travel together, by next hop',
         [(j['host'], len(j['to'])) for j in q.jobs])
    q.jobs.clear()
    many = ['u%d@far.example' % i for i in range(250)]
    t.ok(q.ask_large(SENDER, many, LARGE)[0] == 250 and q.empties() and
         sorted(len(j['to']) for j in q.jobs) == [50, 100, 100] and
         all(j['body'] == LARGE for j in q.jobs),
         'a hundred at once, from the file')
    t.same(q.stop(), 0, 'it stops')

with Queue(relayhost='smart.example:587') as q:
    q.transport = {'direct.example': 'mx'}
    q.start()
    q.ask(SENDER, ['a@far.example', 'b@other.example', 'c@direct.example'],
          BODY)
    t.ok(q.empties() and sorted(hops(q)) == [
        (MX, 'direct.example', 0), (HOST, 'smart.example', 587)],
         'relayhost is one destination, the map makes exceptions', hops(q))
    t.same(q.stop(), 0, 'it stops')

# --- what hosts say

with Queue(delay_warning='0') as q:
    q.elsewhere = lambda address, job: {'a': SAID, 'b': GREY, 'c': NEVER}[
        address[0]]
    q.start()
    qid = q.ask(ANN, ['a@far.example', 'b@far.example', 'c@far.example'],
                BODY)[3]
    q.pump(lambda: any(j['transport'] == LOCAL for j in q.jobs))
    settled(q)
    report = [j for j in q.jobs if j['transport'] == LOCAL][0]['body']
    t.ok(b'\nRemote-MTA: dns; mx.far.example\n' in report and
         b'\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n' in report and
         b'b@far' not in report.split(b'Content-Type: message/rfc822')[0],
         'the failure is reported, with who said it', report)
    m, = listed(q)
    r, = m['recipients']
    t.ok(r['address'] == 'b@far.example' and r['code'] == 451 and
         r['why'] == 'greylisted' and r['host'] == GREY[3] and
         r['destination'] == 'far.example' and
         abs(r['when'] - time.time()) < 60 and r['next'] > time.time(),
         'who waits is listed with the last reply', m)
    text = q.ctl('list')[1]
    t.ok('greylisted' in text and GREY[3] in text and 'next try in' in text,
         'for people, too', text)
    q.kill()
    q.start()
    q.scanned()
    again, = listed(q)
    t.ok(again['recipients'] == m['recipients'], 'also after a restart', again)
    q.elsewhere = lambda address, job: SAID
    q.delivered.clear()
    q.ctl('flush', 'destination=far.example')
    t.ok(q.empties() and q.delivered == [(qid, 'b@far.example')],
         'and is tried again')
    # Hostile words are only words.
    q.elsewhere = lambda address, job: (
        550, '5.0.0', 'a\r\nX-Evil: 1\n\x1b[2J\0\xff' + 'x' * 400,
        'evil[192.0.2.1]:25')
    q.jobs.clear()
    q.ask(ANN, ['a@far.example'], BODY)
    t.ok(q.pump(lambda: len(q.jobs) == 2) and
         b'\nX-Evil' not in q.jobs[1]['body'] and
         b'\x1b' not in q.jobs[1]['body'] and
         b'X-Evil' in q.jobs[1]['body'], 'words of strangers are quoted')
    t.same(q.stop(), 0, 'it stops')

# --- ages

with Queue(retry_min='1h') as q:
    q.elsewhere = lambda address, job: GREY
    q.start()
    q.ask(SENDER, ['a@far.example'], BODY)
    q.ask('c@Other.example', ['a@Third.example', 'b@third.example'], BODY)
    t.ok(q.pump(lambda: len(q.jobs) == 2) and settled(q), 'two wait')

    def ages(*words):
        return [json.loads(x) for x in
                q.ctl('ages', '--json', *words)[1].splitlines()]

    rows = ages()
    t.ok([(r['domain'], r['total']) for r in rows] ==
         [('third.example', 2), ('far.example', 1)] and
         all(len(r['ages']) == 10 and sum(r['ages']) == r['total']
             for r in rows), 'ages by domain', rows)
    rows = ages('--senders')
    t.ok([(r['domain'], r['total']) for r in rows] ==
         [('example.net', 1), ('other.example', 1)], 'and by sender', rows)
    rows = [x.split() for x in
            q.ctl('ages', 'destination=third.example')[1].splitlines()]
    t.ok(rows[0][2:] == ['5', '10', '20', '40', '80', '160', '320', '640',
                         '1280', '1280+'] and len(rows) == 3 and
         rows[1][:2] == ['total', '2'] and
         rows[2][:2] == ['third.example', '2'] and len(rows[2]) == 12,
         'of some, for people', rows)
    t.same(q.stop(), 0, 'it stops')

# --- windows

with Queue(retry_min='1h') as q:
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(60):
        q.ask(SENDER, ['u%d@far.example' % i], BODY)
    t.ok(q.pump(lambda: len(q.jobs) == 5), 'five at once, at first',
         len(q.jobs))

    def answer(n, is_):
        for _ in range(n):
            sock, qid, index = q.silent.pop(0)
            q.say(sock, [(qid, index) + is_])

    answer(5, SAID)
    t.ok(q.pump(lambda: len(q.silent) == 6), 'then six', len(q.silent))
    answer(6, SAID)
    t.ok(q.pump(lambda: len(q.silent) == 7), 'then seven', len(q.silent))
    answer(1, NOBODY)
    answer(1, GREY)
    q.ctl('count')
    t.ok(q.pump(lambda: len(q.silent) == 6), 'less if a host is not there',
         len(q.silent))
    d, = map(json.loads, q.ctl('destinations', '--json')[1].splitlines())
    t.ok(d['destination'] == 'far.example' and d['state'] == 'up' and
         d['concurrency'] == 6 and d['active'] == 6 and
         d['host'] == NOBODY[3] and d['why'] == 'connection refused' and
         d['waiting'] == 60 - 5 - 6 - 2 - 6 + 2, 'all that is told', d)
    # Others are served meanwhile, and when it is dead.
    q.elsewhere = lambda address, job: \
        None if job['host'] == 'far.example' else SAID
    q.ask(SENDER, ['a@other.example'], BODY)
    t.ok(q.pump(lambda: 'a@other.example' in [a for _, a in q.delivered]),
         'another one does not wait behind it')
    while q.silent:
        answer(len(q.silent), NOBODY)
        q.ctl('count')
    t.ok(settled(q), 'at zero it is dead, and what waits is put off')
    d = {d['destination']: d for d in map(
        json.loads, q.ctl('destinations', '--json')[1].splitlines())}
    d = d['far.example']
    t.ok(d['state'] == 'down' and d['until'] > time.time() and
         d['active'] == 0 and d['waiting'] == q.count(), 'as is told', d)
    tried = len(q.jobs)
    q.ask(SENDER, ['late@far.example'], BODY)
    settled(q)
    late = [m for m in listed(q)
            if m['recipients'][0]['address'] == 'late@far.example'][0]
    t.ok(len(q.jobs) == tried and 'not tried now: connection refused' in
         late['recipients'][0]['why'], 'new mail for it is put off untried',
         late)
    q.ask(SENDER, ['b@other.example', ANN], BODY)
    t.ok(q.pump(lambda: {'b@other.example', ANN} <=
                {a for _, a in q.delivered}), 'others go on')
    # The administrator says: try. One is, and all follow.
    left = q.count()
    q.elsewhere = lambda address, job: None
    q.jobs.clear()
    q.ctl('flush', 'destination=far.example')
    q.pump(lambda: q.silent)
    q.ctl('count')
    t.same(len(q.jobs), 1, 'a probe goes alone')
    q.elsewhere = lambda address, job: SAID
    answer(1, SAID)
    t.ok(q.empties() and len(q.jobs) == left, 'when it is there, all follow',
         (len(q.jobs), left, q.count()))
    log = q.log_so_far()
    t.ok('ev=down destination=far.example' in log and
         'ev=up destination=far.example' in log, 'the log tells of both')
    t.same(q.stop(), 0, 'it stops')

# By itself, after its time.
with Queue(retry_min='1s', retry_max='2s',
           destination_initial_concurrency='1') as q:
    q.elsewhere = lambda address, job: NOBODY
    q.start()
    for i in range(20):
        q.ask(SENDER, ['u%d@far.example' % i], BODY)
    q.pump(lambda: 'ev=down' in q.log_so_far())
    t.ok(q.pump(lambda: q.log_so_far().count('ev=down') > 1),
         'a probe comes by itself')
    q.elsewhere = lambda address, job: SAID
    t.ok(q.empties(), 'and when the host is back, its mail leaves')
    t.same(q.stop(), 0, 'it stops')

# A failure that is the host's own decision moves nothing.
with Queue(retry_min='1h') as q:
    q.elsewhere = lambda address, job: (556, '5.1.10', 'null MX', '', True)
    q.start()
    for i in range(20):
        q.ask(SENDER, ['u%d@far.example' % i], BODY)
    settled(q)
    t.ok('ev=down' not in q.log_so_far() and
         q.log_so_far().count('ev=bounced') >= 20,
         'a domain that takes no mail is not down')
    t.same(q.stop(), 0, 'it stops')

# --- relay processes

with Queue() as q:
    q.relays_at_start = 2
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(4):
        q.ask(SENDER, ['u%d@far.example' % i], BODY)
        q.ask(SENDER, ['u%d@near.example' % i], BODY)
    q.pump(lambda: len(q.jobs) == 8)
    ends = {d: {j['at'] for j in q.jobs if j['host'] == d}
            for d in ('far.example', 'near.example')}
    t.ok(all(len(e) == 1 for e in ends.values()) and
         ends['far.example'] != ends['near.example'],
         'a destination stays with its process, another gets the other')
    q.jobs.clear()
    q.silent.clear()
    ends['far.example'].pop()().close()
    q.elsewhere = lambda address, job: SAID
    t.ok(q.pump(lambda: len(q.delivered) == 4) and
         {a for _, a in q.delivered} == {'u%d@far.example' % i
                                         for i in range(4)},
         'one that dies leaves its jobs to the other')
    q.elsewhere = lambda address, job: None
    for s in q.relays:
        s.close()
    q.relays.clear()
    q.ctl('count')
    t.same(q.count(), 4, 'without any, mail waits')
    q.elsewhere = lambda address, job: SAID
    q.relay(0)
    t.ok(q.empties(), 'until one comes')
    # A new one of the same seat takes over; if it dies, the old one again.
    old = q.relays[0]
    new = q.relay(0)
    q.jobs.clear()
    q.ask(SENDER, ['a@far.example'], BODY)
    t.ok(q.empties() and q.jobs[-1]['at']() is new, 'a reload brings a new one')
    new.close()
    q.relays.remove(new)
    q.ask(SENDER, ['a@far.example'], BODY)
    t.ok(q.empties() and q.jobs[-1]['at']() is old, 'that failed: the old one')
    # A lie about a recipient ends it.
    q.elsewhere = lambda address, job: None
    q.silent.clear()
    q.ask(SENDER, ['a@far.example'], BODY)
    q.pump(lambda: q.silent)
    q.say(old, [(q.silent[0][1] + 1, 0) + SAID])
    t.ok(q.pump(lambda: old.fileno() == -1), 'one that lies is cut off')
    q.elsewhere = lambda address, job: SAID
    q.relay(0)
    t.ok(q.empties(), 'its job is done by the next')
    # A message that kills every relay.
    q.elsewhere = lambda address, job: None
    q.silent.clear()
    q.ask(SENDER, ['a@far.example'], BODY)
    for _ in range(3):
        q.pump(lambda: q.silent)
        s = q.silent.pop()[0]
        s.close()
        q.relays.remove(s)
        q.relay(0)
    t.ok(settled(q) and 'died, more than once' in q.ctl('list')[1],
         'a message that kills them waits')
    t.same(q.stop(), 0, 'it stops')

with Queue(relay_timeout='1s', **{
        'relay_%s_timeout' % what: '1s' for what in
        ('connect', 'greeting', 'command', 'data', 'send', 'dot')}) as q:
    q.elsewhere = lambda address, job: None
    q.start()
    q.ask(SENDER, ['a@far.example'], BODY)
    t.ok(settled(q) and 'does not answer' in q.ctl('list')[1] and
         not q.pump(lambda: q.relays, 0), 'one that says nothing is given up')
    q.elsewhere = lambda address, job: SAID
    q.relay(0)
    q.ctl('flush')
    t.ok(q.empties(), 'its mail goes with another')
    t.same(q.stop(), 0, 'it stops')

# --- hosts that have enough connections of ours

CROWD = (451, '4.4.5', 'enough connections of ours', '', 2)
with Queue() as q:
    tries = []

    def third_time(address, job):
        tries.append(address)
        return CROWD if len(tries) < 3 else SAID
    q.elsewhere = third_time
    q.start()
    q.ask(SENDER, ['a@far.example', 'b@far.example'], BODY)
    t.ok(q.empties() and len(q.jobs) == 2, 'a crowded host is tried again',
         len(q.jobs))
    log = q.log_so_far()
    t.ok('ev=deferred' not in log and log.count('ev=crowded') == 1,
         'soon, which is no attempt', log)
    q.elsewhere = lambda address, job: None
    for i in range(6):
        q.ask(SENDER, ['u%d@busy.example' % i], BODY)
    q.pump(lambda: len(q.silent) == 5)
    sock, qid, index = q.silent.pop()
    q.say(sock, [(qid, index) + CROWD])
    t.ok(q.pump(lambda: '"concurrency":4' in
                q.ctl('destinations', '--json')[1]),
         'one that has jobs under way gets one less')
    q.elsewhere = lambda address, job: SAID
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    t.ok(q.empties() and q.log_so_far().count('ev=crowded') == 1,
         'and goes on when they end', q.log_so_far())
    q.elsewhere = lambda address, job: CROWD
    qid = q.ask(SENDER, ['a@rest.example'], BODY)[3]
    q.pump(lambda: 'destination=rest.example' in q.log_so_far())
    t.ok(q.ctl('flush', 'destination=rest.example')[0] == 0 and
         q.ctl('remove', qid_text(qid))[0] == 0 and q.empties(),
         'one that rests can be removed')
    t.same(q.stop(), 0, 'it stops')
with Queue(retry_min='1s', retry_max='1h') as q:
    q.elsewhere = lambda address, job: CROWD
    q.start()
    q.ask(SENDER, ['a@far.example'], BODY)
    t.ok(q.pump(lambda: 'ev=down destination=far.example' in q.log_so_far())
         and settled(q) and 'enough connections' in q.ctl('list')[1],
         'after retry-min it is put off')
    t.same(q.stop(), 0, 'it stops')
with Queue(retry_min='1h') as q:
    q.elsewhere = lambda address, job: \
        SAID if job['host'] == 'quick.example' else \
        NOBODY if job['host'] == 'bad.example' else None
    q.start()
    q.ask(SENDER, ['a@quick.example'], BODY)
    q.ask(SENDER, ['a@bad.example'], BODY)
    q.pump(lambda: 'a@quick.example' in [a for _, a in q.delivered] and
           'ev=deferred' in q.log_so_far())
    for i in range(300):
        q.submit(SENDER, ['u@h%d.example' % i], BODY)
    q.pump(lambda: len(q.silent) == 300)
    q.elsewhere = lambda address, job: \
        SAID if job['host'] == 'quick.example' else None
    q.ask(SENDER, ['b@bad.example'], BODY)
    q.ask(SENDER, ['b@quick.example'], BODY)
    t.ok(q.pump(lambda: 'b@quick.example' in [a for _, a in q.delivered]) and
         len(q.silent) == 300, 'half of the room is not for who was not there')
    for i in range(300, 600):
        q.submit(SENDER, ['u@h%d.example' % i], BODY)
    q.pump(lambda: len(q.answers) == 604 and len(q.silent) >= 437)
    q.ask(SENDER, ['c@quick.example'], BODY)
    t.ok(q.pump(lambda: 'c@quick.example' in [a for _, a in q.delivered]) and
         len(q.silent) == 437, 'some of it only for who was quick',
         len(q.silent))
    q.elsewhere = lambda address, job: SAID
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    q.ctl('flush')
    t.ok(q.empties(), 'and all of it leaves', q.count())
    t.same(q.stop(), 0, 'it stops')

# --- much for one dead host, and room for others

with Queue(active_max='400', retry_min='1h') as q:
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(1000):
        q.submit(SENDER, ['u%d@far.example' % i], BODY)
    t.ok(q.pump(lambda: len(q.answers) == 1000) and q.count() == 1000,
         'more than there is room for')
    q.policy = lambda address, job: None
    q.ask(SENDER, [ANN], BODY)
    t.ok(q.pump(lambda: q.silent and q.silent[-1][2] == 0 and
                q.jobs[-1]['transport'] == LOCAL),
         'somebody else has room in memory')
    sock, qid, index = q.silent.pop()
    q.say(sock, [(qid, index, 250, '2.0.0', 'ok')])
    q.elsewhere = lambda address, job: SAID
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    t.ok(q.empties(), 'and all of it leaves', q.count())
    t.same(len(q.delivered), 1000 - 5, 'each once')
    t.same(q.stop(), 0, 'it stops')


def local_mail_passes(q, n, name):
    t.ok(q.pump(lambda: len(q.answers) == n), name)
    q.ask(SENDER, [ANN], BODY)
    t.ok(q.pump(lambda: any(j['transport'] == LOCAL and j['from'] == SENDER
                            for j in q.jobs)), 'mail for people here passes')


# --- the same in the company of others, and of many

with Queue(active_max='400', retry_min='1h') as q:
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(800):
        q.submit('x@example.net', [ANN, 'u%d@far.example' % i], BODY)
    local_mail_passes(q, 800, 'each for somebody here, and for a slow host')
    t.ok(q.pump(lambda: [a for _, a in q.delivered].count(ANN) == 801),
         'and nobody here waits for that host')
    q.elsewhere = lambda address, job: SAID
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    t.ok(q.empties(), 'and all of it leaves, in time', q.count())
with Queue(active_max='400', retry_min='1h') as q:
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(800):
        q.submit('x@example.net', ['u@h%d.example' % (i % 10)], BODY)
    local_mail_passes(q, 800, 'much for many slow hosts')
    q.elsewhere = lambda address, job: SAID
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    t.ok(q.pump(lambda: q.ctl('flush')[0] == 0 and q.count() == 0),
         'and all of it leaves', q.count())
    t.same(len(q.delivered), 800 - 50 + 1, 'each once')
with Queue(retry_min='1h') as q:
    q.elsewhere = lambda address, job: None
    q.start()
    for i in range(600):
        q.submit('x@example.net', ['u@h%d.example' % (i % 120)], BODY)
    t.ok(q.pump(lambda: len(q.answers) == 600 and len(q.silent) >= 375),
         'as many jobs as a relay process takes')
    q.elsewhere = lambda address, job: SAID
    q.ask(SENDER, ['u@quick.example'], BODY)
    t.ok(q.pump(lambda: any(a == 'u@quick.example' for _, a in q.delivered)),
         'one is left for a hop that has none')
    for sock, qid, index in q.silent:
        q.say(sock, [(qid, index) + SAID])
    t.ok(q.empties(), 'and all of it leaves', q.count())

t.done()
