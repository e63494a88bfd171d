"""Reports of the queue: their form, their way, and where they end."""
import email
import email.policy
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import Tap
from keeper import (DOMAIN, LATER, NEVER, OK, RESULT, Queue, qid_old, record,
                    spool_file)

t = Tap()
ANN, BOB, CARL, DORA, ROOT = (
    '%s@%s' % (u, DOMAIN) for u in ('ann', 'bob', 'carl', 'dora', 'root'))
BODY = b'From: ann\nSubject: the subject\n\nthe body\n'


def parse(body):
    return email.message_from_bytes(body, policy=email.policy.default)


def flaws(body, failed, action='failed'):
    """What RFC 3464, 6522 and 5322 would have otherwise; empty: nothing."""
    m = parse(body)
    parts = list(m.iter_parts())
    bad = [repr(d) for p in [m] + parts[:2] for d in p.defects]
    if m.get_content_type() != 'multipart/report':
        bad.append(m.get_content_type())
    if m.get_param('report-type') != 'delivery-status':
        bad.append('report-type')
    for name in ('From', 'To', 'Date', 'Message-ID', 'Subject',
                 'Auto-Submitted', 'MIME-Version'):
        if len(m.get_all(name, [])) != 1:
            bad.append('%d of %s' % (len(m.get_all(name, [])), name))
    kinds = [p.get_content_type() for p in parts]
    if kinds[:2] != ['text/plain', 'message/delivery-status'] or \
            kinds[2:] not in (['message/rfc822'], ['text/rfc822-headers']):
        bad.append(repr(kinds))
        return bad
    if any(len(line) > 998 for line in body.split(b'\n')):
        bad.append('a line is too long')
    if b'\r' in body or b'\0' in body:
        bad.append('CR or NUL')
    groups = parts[1].get_payload()
    if not groups[0]['Reporting-MTA'].startswith('dns;'):
        bad.append('Reporting-MTA')
    got = []
    for g in groups[1:]:
        kind, address = g['Final-Recipient'].split(';')
        got.append(address.strip())
        if kind != 'rfc822' or g['Action'] != action or \
                g['Status'][0] != ('5' if action == 'failed' else '4') or \
                len(g['Status'].split('.')) != 3:
            bad.append(str(g))
        if not str(g).isascii():
            bad.append('status is not ASCII')
    if sorted(got) != sorted(failed):
        bad.append('recipients: %r' % got)
    return bad


def reports(q):
    return [j for j in q.jobs if j['from'] == '']


with Queue() as q:
    q.policy = lambda a, job: OK if a != BOB else NEVER
    q.start()
    q.ask(ANN, [BOB, CARL], BODY)
    t.ok(q.empties() and len(reports(q)) == 1, 'a failure is reported once')
    r = reports(q)[0]
    t.same([a for _, a, _, _ in r['to']], [ANN], 'to the sender, from <>')
    t.same(flaws(r['body'], [BOB]), [], 'as RFC 3464 has it')
    original = list(parse(r['body']).iter_parts())[2]
    t.ok(original.get_content_type() == 'message/rfc822' and
         original.get_payload()[0]['subject'] == 'the subject' and
         b'the body' in r['body'], 'the message comes back')

    def ask(body, answer=NEVER, large=False, rcpts=(BOB,)):
        """The report's body."""
        q.jobs.clear()
        q.policy = lambda a, job: OK if a == ANN else answer
        (q.ask_large if large else q.ask)(ANN, list(rcpts), body)
        q.empties()
        got = reports(q)
        return got[0]['body'] if len(got) == 1 else b''

    limit = 50 * 1024
    for size, kind in ((limit, 'message/rfc822'),
                       (limit + 1, 'text/rfc822-headers')):
        body = BODY + b'x' * 70 + b'\n'
        body += (b'y' * 99 + b'\n') * 600
        body = body[:size - 1] + b'\n'
        got = ask(body)
        t.same((flaws(got, [BOB]),
                list(parse(got).iter_parts())[2].get_content_type()),
               ([], kind), '%d bytes: %s' % (size, kind))
    got = ask(BODY + b'line\n' * 100000, large=True)
    t.ok(flaws(got, [BOB]) == [] and b'the subject' in got and
         b'the body' not in got, 'a large one: its header only')
    got = ask(b'X: ' + b'y' * 60000 + b'\n\nbody\n', large=True)
    t.ok(got and len(got) < 60000, 'a header without end is cut', len(got))
    t.same(flaws(ask(b'no header at all'), [BOB]), [], 'no header, no end')
    t.same(flaws(ask(b''), [BOB]), [], 'nothing at all')
    got = ask(BODY + b'gr\xc3\xbc\xc3\x9fe, \xff\n', (
        550, '5.7.1', 'gr\xfc\xdfe\r\nFinal-Recipient: rfc822; x@y\n\n' +
        '\u20ac' * 150))
    t.same(flaws(got, [BOB]), [], 'an answer of any bytes adds no line')
    t.ok('Content-Transfer-Encoding: 8bit' in got.decode('latin-1') and
         b'gr\xc3\xbc\xc3\x9fe, \xff' in got, 'eight bits stay, and are named')
    t.same(flaws(ask(BODY, (550, '', '')), [BOB]), [], 'an answer of no words')
    t.same(flaws(ask(BODY, (550, 'x.y', 'no')), [BOB]), [], 'no status code')
    t.same(flaws(ask(BODY, (550, '4.2.2', 'no')), [BOB]), [],
           'a status of another class')
    q.jobs.clear()
    gone = 'not-here@' + DOMAIN
    got = ask(BODY, rcpts=[gone])
    t.ok(flaws(got, [gone]) == [] and b'no such user' in got,
         'an account that is gone', got)
    t.same(q.stop(), 0, 'it stops')

# --- reports of reports

with Queue(postmaster='root') as q:
    q.policy = lambda a, job: OK if a == ROOT else NEVER
    q.start()
    q.ask(ANN, [BOB], BODY)
    t.ok(q.empties() and [a for _, a in q.delivered] == [ROOT] and
         len(q.jobs) == 3, 'a report that fails goes to postmaster, once',
         [(j['from'], j['to'][0][1]) for j in q.jobs])
    t.same(flaws(q.jobs[-1]['body'], [ANN]), [], 'in good form')
    q.jobs.clear()
    q.ask('', [BOB], BODY)
    t.ok(q.empties() and len(q.jobs) == 2 and
         q.jobs[1]['to'][0][1] == ROOT, 'what comes from <> is a report')
    q.policy = lambda a, job: NEVER
    q.jobs.clear()
    q.ask(ANN, [BOB], BODY)
    t.ok(q.empties() and len(q.jobs) == 3 and
         q.pump(lambda: 'ev=dropped' in q.log_so_far()),
         'what postmaster does not take ends there, and in the log')
    t.same(q.stop(), 0, 'it stops')

# --- many

with Queue() as q:
    many = ['nobody%04d@%s' % (i, DOMAIN) for i in range(1000)]
    q.start()
    q.ask(ANN, many, BODY)
    t.ok(q.empties() and len(q.jobs) == 1 and
         flaws(q.jobs[0]['body'], many) == [],
         'of a thousand failures each is named')
    t.same(q.stop(), 0, 'it stops')

# --- time

now = int(time.time())
with Queue(queue_lifetime='5d', bounce_lifetime='2d', delay_warning='4h',
           aliases={'loop': 'loop2@' + DOMAIN, 'loop2': 'loop@' + DOMAIN}) as q:
    names = [qid_old(i) for i in range(8)]
    days = 86400
    old = now - 5 * days - 60
    tried = record(RESULT, 0, 451, now - 60, '4.2.2', 'mailbox full')
    q.put(names[0], spool_file(ANN, [BOB], BODY, arrived=old, log=tried))
    q.put(names[1], spool_file(ANN, [CARL], BODY, arrived=now - 5 * 3600))
    q.put(names[2], spool_file(ANN, [DORA], BODY, arrived=now - 3 * 3600))
    q.put(names[3], spool_file('', [CARL], BODY, arrived=now - 5 * 3600))
    q.put(names[4], spool_file('loop@' + DOMAIN, [BOB], BODY, arrived=old))
    q.put(names[5], spool_file('loop@' + DOMAIN, ['nobody@' + DOMAIN], BODY,
                               arrived=now - 8 * days))
    # Failed before a crash, not yet reported; and reported already.
    q.put(names[6], spool_file(ANN, [BOB, CARL], BODY, log=record(
        RESULT, 0, 550, 0, '5.7.1', 'no') + record(RESULT, 1, 250)))
    q.put(names[7], spool_file(ANN, [BOB, CARL], BODY, log=record(
        RESULT, 0, 550, 0, '5.7.1', 'no') + record(2, 0)))
    q.policy = lambda a, job: OK if a == ANN else LATER
    q.start()
    q.scanned()
    q.pump(lambda: '"active"' not in q.ctl('list', '--json')[1])
    got = {}
    for j in reports(q):
        if j['to'][0][1] == ANN:
            m = parse(j['body'])
            for g in list(m.iter_parts())[1].get_payload()[1:]:
                got.setdefault((g['Action'], g['Final-Recipient'].split()[1]),
                               []).append(j['body'])
    t.same(sorted((k, len(v)) for k, v in got.items()),
           [(('delayed', CARL), 1), (('failed', BOB), 2)],
           'who expired and who waits is reported; <> and the young are not')
    t.same([flaws(got['delayed', CARL][0], [CARL], 'delayed'),
            flaws(got['failed', BOB][0], [BOB])], [[], []], 'in good form')
    t.same(q.names(), sorted(names[1:5] + names[7:]),
           'what is reported leaves, what cannot be stays')
    t.ok('no report can be stored' in q.log_so_far() and
         names[5] not in q.names(), 'but not for ever')
    q.ctl('flush')
    q.pump(lambda: '"active"' not in q.ctl('list', '--json')[1])
    t.same(len([j for j in reports(q) if b'delayed' in j['body']]), 1,
           'a delay is told once')
    q.kill()
    q.start()
    q.scanned()
    q.ctl('flush')
    q.pump(lambda: '"active"' not in q.ctl('list', '--json')[1])
    t.same(len([j for j in reports(q) if b'delayed' in j['body']]), 1,
           'also after a restart')
    t.same(q.stop(), 0, 'it stops')

t.done()
