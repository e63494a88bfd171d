#!/usr/bin/env python3
"""relay by itself, against scripted servers: every branch of a transaction,
of the way to a server, of TLS and passwords; and servers that mean ill."""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
import carrier  # noqa: E402
from wire import PING  # noqa: E402
from carrier import (A, AAAA, BAD, CLOSE, HANG, HOST, LMTP, LMTP_UNIX, MX,
                     MXRR, NODATA, NXDOMAIN, RESET, TEMP, Carrier, Server)

count = failed = 0
R1, R2, R3 = 'r1@dest.test', 'r2@dest.test', 'r3@dest.test'
DOWN, CROWDED = 1, 2  # ABOUT_HOST, ABOUT_CROWD
PLAIN = '250-server\n250-PIPELINING\n250-SIZE 1000000\n250 8BITMIME'
SLOW = '250-server\n250-SIZE 1000000\n250 8BITMIME'
TLS = '250-server\n250-PIPELINING\n250 STARTTLS'


def ok(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print('%sok %d - %s' % ('' if good else 'not ', count,
                            name.replace('#', '?')), flush=True)
    if not good:
        for n in notes:
            print('# %s' % (n,))


def short(got):
    """{rcpt: 'code enhanced'}"""
    return {r: '%d %s' % v[:2] for r, v in got.items()}


def is_(got, want, name):
    ok(got == want, name, 'got:    %r' % (got,), 'wanted: %r' % (want,))


def end(c, *servers):
    """No server saw nonsense, no sanitizer complained, relay ends well."""
    for s in servers:
        ok(not s.troubles, 'only whole lines were sent', *s.troubles)
        s.close()
    is_(c.stop(), 0, 'relay ends well')
    bad = [l for l in c.log_text().splitlines()
           if 'Sanitizer' in l or 'runtime error' in l or 'level=error' in l]
    ok(not bad, 'and has nothing to complain about', *bad)


# --- one server, the transaction ----------------------------------------

def fresh(c, s):
    """The next job comes over a new connection."""
    for t in s.talks:
        t.end()
    s.talks.clear()
    s.bodies.clear()


def one(c, s, says, rcpts, want, name, **kw):
    plain = dict(s.says)
    s.says.update(says)
    got = c.wait(c.job(rcpts, port=s.port, **kw))
    is_(short(got), dict(zip(rcpts, want)), name)
    cmds = [x for t in s.talks for x in t.commands]
    s.says = plain
    return got, cmds


def transaction(drip):
    how = ', byte by byte' if drip else ''
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        s.drip = drip
        ehlo = 'EHLO client.test'
        got, cmds = one(c, s, {}, [R1], ['250 2.0.0'], 'a message' + how)
        is_(cmds[:5], [ehlo, 'MAIL FROM:<ann@client.test> SIZE=21',
                   'RCPT TO:<r1@dest.test>', 'DATA', '.'],
            'is told in a pipeline')
        is_(s.bodies, [b'Subject: x\n\nhello\n'], 'and arrives')
        is_(got[R1][2:], ('taken as 1', 0, '127.0.0.1[127.0.0.1]:%d' %
                          s.port), 'with their words')
        fresh(c, s)
        for ehlo_says, kind in ((PLAIN, 'pipelined'), (SLOW, 'one by one')):
            e = {'EHLO': ehlo_says}
            kind += how
            no = '550 5.1.1 no such user'
            one(c, s, dict(e, **{R2: no}), [R1, R2, R3],
                ['250 2.0.0', '550 5.1.1', '250 2.0.0'],
                'one of three is refused, ' + kind)
            is_(len(s.bodies), 1, 'the others get it once')
            fresh(c, s)
            one(c, s, dict(e, RCPT='450 4.2.0 later'), [R1, R2],
                ['450 4.2.0', '450 4.2.0'], 'all later, ' + kind)
            is_([b for b in s.bodies if b], [], 'no message is sent')
            fresh(c, s)
            one(c, s, dict(e, RCPT=no, DATA='503 5.5.1 no rcpt'), [R1, R2],
                ['550 5.1.1', '550 5.1.1'], 'all never, DATA refused, ' +
                kind)
            fresh(c, s)
            one(c, s, dict(e, MAIL='550 5.7.1 not you',
                           RCPT='503 5.5.1 MAIL first',
                           DATA='503 5.5.1 MAIL first'), [R1, R2],
                ['550 5.7.1', '550 5.7.1'], 'MAIL is refused, ' + kind)
            one(c, s, dict(e, MAIL='451 4.7.1 grey'), [R1],
                ['451 4.7.1'], 'MAIL is put off, ' + kind)
            fresh(c, s)
            one(c, s, dict(e, DATA='451 4.3.0 no room'), [R1, R2],
                ['451 4.3.0', '451 4.3.0'], 'DATA is put off, ' + kind)
            fresh(c, s)
            one(c, s, dict(e, DATA='250 2.0.0 what'), [R1], ['451 4.0.0'],
                'DATA is answered with nonsense, ' + kind)
            fresh(c, s)
            one(c, s, dict(e, dot='554 5.6.0 spam'), [R1, R2],
                ['554 5.6.0', '554 5.6.0'],
                'the message is refused, ' + kind)
            fresh(c, s)
            one(c, s, dict(e, dot='452 4.3.1 full'), [R1], ['452 4.3.1'],
                'the message is put off, ' + kind)
            fresh(c, s)
            got, _ = one(c, s, dict(e, dot=CLOSE), [R1], ['451 4.4.2'],
                         'lost after the final dot, ' + kind)
            ok('twice' in got[R1][2], 'is told as what it is', got[R1])
            fresh(c, s)
            one(c, s, dict(e, DATA=CLOSE), [R1], ['451 4.4.2'],
                'lost before DATA, ' + kind)
            fresh(c, s)
            got, _ = one(c, s, dict(e, **{R2: '421 4.3.2 going down'}),
                         [R1, R2, R3], ['421 4.3.2'] * 3,
                         '421 in the middle, ' + kind)
            is_(got[R3][3], DOWN, 'is about the host')
            fresh(c, s)
            seen = []

            def room(talk):
                seen.append(1)
                return '250 ok' if len(talk.taken) < 2 else \
                    '452 4.5.3 too many recipients'
            rcpts = ['n%d@dest.test' % i for i in range(5)]
            one(c, s, dict(e, RCPT=room), rcpts, ['250 2.0.0'] * 5,
                'too many recipients, ' + kind)
            is_(len(s.bodies), 3, 'go in three transactions')
            fresh(c, s)
        one(c, s, {'dot': '250 ok'}, [R1], ['250 2.0.0'],
            'a reply without an enhanced code')
        got, _ = one(c, s, {'dot': b'250-2.0.0 a\x1b\xff\r\n250 2.0.0 \0b\r\n'},
                     [R1], ['250 2.0.0'], 'controls in a reply')
        is_(got[R1][2], 'a\x1b\xff\n\0b', 'are handed on as they came')
        fresh(c, s)
        end(c, s)


def extensions():
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        _, cmds = one(c, s, {'EHLO': '500 what'}, [R1], ['250 2.0.0'],
                      'a server that knows no EHLO')
        is_(cmds[:3], ['EHLO client.test', 'HELO client.test',
                       'MAIL FROM:<ann@client.test>'], 'gets HELO')
        fresh(c, s)
        _, cmds = one(c, s, {}, [R1], ['250 2.0.0'], 'an 8-bit message',
                      flags=1, sender='', body=b'x: \xff\n\n')
        is_(cmds[1], 'MAIL FROM:<> SIZE=8 BODY=8BITMIME', 'is announced')
        fresh(c, s)
        _, cmds = one(c, s, {'EHLO': '250 server'}, [R1], ['250 2.0.0'],
                      'a server without extensions', flags=1)
        is_(cmds[1], 'MAIL FROM:<ann@client.test>', 'is not told of any')
        fresh(c, s)
        got, cmds = one(c, s, {'EHLO': '250-server\n250 SIZE 20'}, [R1],
                        ['552 5.3.4'], 'a message over its SIZE')
        is_(cmds[:2], ['EHLO client.test'] + cmds[1:2] * (
            cmds[1:2] == ['QUIT']), 'is not offered')
        is_(got[R1][4], '', 'and nobody said so but we')
        fresh(c, s)
        one(c, s, {'EHLO': '250-server\n250 SIZE 21'}, [R1], ['250 2.0.0'],
            'one that is as large as may be goes')
        fresh(c, s)
        one(c, s, {'EHLO': '250-server\n250 SIZE 0'}, [R1], ['250 2.0.0'],
            'SIZE 0 is no limit')
        fresh(c, s)
        body = b'.\n..\n.a\nb.\n\r\n.\r\nc\rd\n.\n\n'
        one(c, s, {}, [R1], ['250 2.0.0'], 'dots and bare CR', body=body)
        is_(s.bodies, [b'.\n..\n.a\nb.\n\n.\ncd\n.\n\n'],
            'arrive as lines, and end nothing')
        fresh(c, s)
        one(c, s, {}, [R1], ['250 2.0.0'], 'no line end at the end',
            body=b'a: b\n\nlast')
        is_(s.bodies, [b'a: b\n\nlast\n'], 'gets one')
        fresh(c, s)
        one(c, s, {}, [R1], ['250 2.0.0'], 'an empty message', body=b'')
        is_(s.bodies, [b''], 'is one')
        fresh(c, s)
        large = b'a: b\n\n' + b''.join(b'.%063d\n' % i for i in range(20000))
        for skip in (0, 517):
            with tempfile.TemporaryFile() as f:
                f.write(b'E' * skip + large + b'log')
                f.flush()
                one(c, s, {'EHLO': '250-server\n250 PIPELINING'}, [R1],
                    ['250 2.0.0'], 'a large message out of its file, at %d' %
                    skip, fd=f.fileno(), offset=skip, size=len(large))
            ok(s.bodies == [large], 'is whole')
            fresh(c, s)
        for line in (b'\n', b'.\n'):
            full = line * (65536 // len(line))
            one(c, s, {}, [R1], ['250 2.0.0'], 'only %r' % line, body=full)
            ok(s.bodies == [full], 'doubles on the wire')
            fresh(c, s)
            with tempfile.TemporaryFile() as f:
                f.write(2 * full)
                f.flush()
                one(c, s, {}, [R1], ['250 2.0.0'], 'the same in two blocks',
                    fd=f.fileno(), size=2 * 65536)
            ok(s.bodies == [2 * full], 'to the last byte')
            fresh(c, s)
        with tempfile.TemporaryFile() as f:
            f.write(large[:70000])
            f.flush()
            one(c, s, {'EHLO': '250 server'}, [R1], ['451 4.3.0'],
                'a file that is too short', fd=f.fileno(), size=len(large))
        is_(s.bodies, [], 'is no message to anybody')
        fresh(c, s)
        for t in s.troubles[:]:
            s.troubles.remove(t)
        log = c.log_text()
        ok('level=error' in log and 'spool file' in log, 'and is an error')
        s.close()
        is_(c.stop(), 0, 'relay ends well')


def early_answer():
    """The server refuses a large message while it is being sent."""
    with Carrier().start() as c:
        s = Server('127.0.0.1')

        def enough(talk):
            talk.say('354 go on')
            for _ in range(100):
                talk.line()
            talk.say('552 5.3.4 too large for me')
            while talk.sock.recv(65536):
                pass
            return CLOSE
        large = b'x: y\n\n' + b'z' * 70 + b'\n'
        large *= 40000
        with tempfile.TemporaryFile() as f:
            f.write(large)
            f.flush()
            one(c, s, {'DATA': enough, 'EHLO': '250 server'}, [R1],
                ['552 5.3.4'], 'an answer before the end counts',
                fd=f.fileno(), size=len(large))
        fresh(c, s)
        for kind in (PLAIN, SLOW):
            one(c, s, {'EHLO': kind, 'DATA': '354 go on\n250 2.0.0 have it',
                       'dot': '554 5.6.0 spam'}, [R1], ['451 4.5.0'],
                '250 before the final dot is no answer to it')
            fresh(c, s)
        one(c, s, {'greeting': '220 server\n250 server\n250 ok'}, [R1],
            ['451 4.5.0'], 'answers before there are questions')
        is_(s.commands(), [], 'end it')
        fresh(c, s)
        end(c, s)
    with Carrier({'relay-idle-timeout': '1m'}).start() as c:
        s = Server('127.0.0.1')
        s.says['dot'] = '250 2.0.0 ok\n250 2.0.0 ok\n250 2.0.0 ok'
        for _ in range(3):
            got = c.wait(c.job([R1], port=s.port))
            is_(short(got), {R1: '250 2.0.0'}, 'one answer, three times')
        is_([t.commands.count('DATA') for t in s.talks], [1] * 3,
            'means nothing to the next message')
        end(c, s)


def reuse():
    with Carrier({'relay-reuse': '3', 'relay-idle-timeout': '1m'}
                 ).start() as c:
        s = Server('127.0.0.1')
        for i in range(7):
            got = c.wait(c.job([R1], port=s.port))
            is_(short(got), {R1: '250 2.0.0'}, 'message %d' % (i + 1))
        is_(len(s.talks), 3, 'three go over one connection')
        c.pump(lambda: s.commands(0)[-1] == 'QUIT')
        is_(s.commands(0).count('MAIL FROM:<ann@client.test> SIZE=21'), 3,
            'one after the other')
        fresh(c, s)
        c.wait(c.job([R1], port=s.port))
        n = len(s.talks)

        def heal(talk):
            s.says['MAIL'] = '250 ok'
            return CLOSE
        s.says['MAIL'] = heal
        got = c.wait(c.job([R1], port=s.port))
        is_(short(got), {R1: '250 2.0.0'},
            'an idle connection that was dead is no reason to wait')
        is_(len(s.talks), n + 1, 'a new one is made')
        fresh(c, s)
        c.wait(c.job([R1], port=s.port))

        def busy(talk):
            s.says['MAIL'] = '250 ok'
            return '421 4.3.2 enough of you'
        s.says['MAIL'] = busy
        got = c.wait(c.job([R1], port=s.port))
        is_(short(got), {R1: '250 2.0.0'}, 'nor is 421 on a used one')
        fresh(c, s)
        s.says.update(RCPT='550 5.1.1 no', DATA='503 5.5.1 no')
        c.wait(c.job([R1], port=s.port))
        c.pump(lambda: 'RSET' in s.commands())
        s.says.update(RCPT='250 ok', DATA='354 go on')
        got = c.wait(c.job([R1], port=s.port))
        is_(short(got), {R1: '250 2.0.0'}, 'after a refusal')
        is_(len(s.talks), 1, 'the connection is used again')
        qids = [c.job([R1], port=s.port) for _ in range(20)]
        c.wait(*qids)
        is_([short(c.results[q]) for q in qids], [{R1: '250 2.0.0'}] * 20,
            'twenty at once')
        end(c, s)
    with Carrier({'relay-idle-timeout': '1s'}).start() as c:
        s = Server('127.0.0.1')
        c.wait(c.job([R1], port=s.port))
        ok(c.pump(lambda: s.commands()[-1] == 'QUIT'),
           'an idle connection is closed with QUIT')
        end(c, s)
    with Carrier({'relay-connections': '2', 'relay-idle-timeout': '1m'}
                 ).start() as c:
        s = Server('127.0.0.1')
        qids = [c.job([R1], port=s.port) for _ in range(10)]
        c.wait(*qids)
        is_([short(c.results[q]) for q in qids], [{R1: '250 2.0.0'}] * 10,
            'more jobs than connections')
        other = Server('127.0.0.1')
        got = c.wait(c.job([R1], port=other.port))
        is_(short(got), {R1: '250 2.0.0'}, 'idle ones make room')
        end(c, s, other)
    with Carrier({'relay-connections': '1'}).start() as c:
        s = Server('127.0.0.1')
        open_, most = [], []

        def greet(talk):
            open_.append(talk)
            most.append(len([t for t in open_ if not t.left]))
            return '220 server'

        def bye(talk):
            talk.left = True
            return '221 bye'
        carrier.Talk.left = False
        s.says.update(greeting=greet, QUIT=bye, dot=carrier.HANG)
        c.zone[A, 'a.test'] = ['127.0.0.1']
        q = c.job([R1], port=s.port)
        c.pump(lambda: s.bodies)
        rest = [c.job([R2], MX, 'nowhere.test', s.port)]
        for i in range(5):
            c.zone[MXRR, 'm%d.test' % i] = [(1, 'a.test')]
            rest.append(c.job([R3], MX, 'm%d.test' % i, s.port))
            rest.append(c.job([R2], MX, 'nowhere.test', s.port))
        c.pump(lambda: (A, 'a.test') in c.asked)
        s.says['dot'] = '250 2.0.0 ok'
        s.talks[0].left = True
        s.talks[0].sock.shutdown(2)
        c.wait(q, *rest)
        is_([short(c.results[q]) for q in rest], [{R2: '550 5.1.2'}] +
            [{R3: '250 2.0.0'}, {R2: '550 5.1.2'}] * 5,
            'no seat is lost with those who lead nowhere')
        is_(set(most), {1}, 'nor is one given twice')
        end(c, s)


def gate(server, *rcpts):
    """These are not answered before the event is set."""
    go = carrier.threading.Event()

    def wait(talk):
        go.wait(carrier.PATIENCE)
        return '250 2.1.5 ok'
    for r in rcpts:
        server.says[r] = wait
    return go


def crowd():
    a, b = hosts(2)
    with Carrier({'relay-host-connections': '2', 'relay-idle-timeout': '1m',
                  'smtp-port': str(a.port)}).start() as c:
        z = c.zone
        z[A, 'a.test'], z[A, 'b.test'] = ['127.0.0.2'], ['127.0.0.3']
        for i in range(9):
            z[MXRR, 'd%d.test' % i] = [(10, 'a.test')]
        z[MXRR, 'equal.test'] = [(10, 'a.test'), (10, 'b.test')]
        z[MXRR, 'backup.test'] = [(10, 'a.test'), (20, 'b.test')]
        slow = ['slow@d%d.test' % i for i in range(2)]
        go = gate(a, *slow)
        first = [c.job([r], MX, r[5:]) for r in slow]
        c.pump(lambda: sum('RCPT' in ' '.join(t.commands)
                           for t in a.talks) == 2)
        got = c.wait(c.job([R1], MX, 'd2.test'))
        is_(got[R1][:2] + got[R1][3:], (451, '4.4.5', CROWDED, ''),
            'a host has enough connections: another domain of it waits')
        is_(len(a.talks), 2, 'no further one is made')
        for i in range(4):
            got = c.wait(c.job([R1], MX, 'equal.test'))
            is_(short(got), {R1: '250 2.0.0'}, 'another host as good does')
        got = c.wait(c.job([R1], MX, 'backup.test'))
        is_(got[R1][3], CROWDED, 'a worse one does not')
        got = c.wait(c.job([R1], HOST, '127.0.0.2', a.port))
        is_(short(got), {R1: '250 2.0.0'}, 'a configured hop is not bound')
        go.set()
        c.wait(*first)
        is_(short(c.results[first[0]]), {slow[0]: '250 2.0.0'}, 'they end')
        n = len(a.talks)
        for i in range(2, 6):
            got = c.wait(c.job([R1], MX, 'd%d.test' % i))
            while got[R1][3] == CROWDED:
                got = c.wait(c.job([R1], MX, 'd%d.test' % i))
            is_(short(got), {R1: '250 2.0.0'}, 'idle ones make room')
        is_(len(a.talks), n + 4, 'each by one connection')
        got = c.wait(c.job([R2], MX, 'd5.test'))
        is_((short(got), len(a.talks)), ({R2: '250 2.0.0'}, n + 4),
            'which is used again')
        end(c, a, b)
    s = Server('127.0.0.2')
    with Carrier({'relay-host-connections': '1',
                  'smtp-port': str(s.port)}).start() as c:
        c.zone[A, 'a.test'] = ['127.0.0.2']
        c.zone[MXRR, 'dest.test'] = [(10, 'a.test')]
        s.says.update(EHLO=TLS, STARTTLS=CLOSE)
        got = c.wait(c.job([R1], MX, 'dest.test'))
        is_(short(got), {R1: '250 2.0.0'}, 'plain text after TLS has failed '
            'is no second connection')
        end(c, s)
    s = Server('127.0.0.2')
    with Carrier({'relay-host-connections': '0', 'relay-connections': '6',
                  'relay-command-timeout': '50s',
                  'smtp-port': str(s.port)}).start() as c:
        c.zone[A, 'a.test'] = ['127.0.0.2']
        s.says['EHLO'] = HANG
        qids = []
        for i in range(5):
            c.zone[MXRR, 'd%d.test' % i] = [(10, 'a.test')]
            qids.append(c.job([R1], MX, 'd%d.test' % i))
            c.pump(lambda: sum(len(t.commands) for t in s.talks) == i + 1)
        c.wait(*qids[3:])
        ok(not any(c.finished(q) for q in qids[:3]),
           'with many jobs, a slow host has less time')
        is_(c.results[qids[4]][R1][:2], (451, '4.4.2'), 'for now')
        end(c, s)


# --- hostile servers ----------------------------------------------------

def one_reset(c, s):
    """It may come before the connection is seen to be there."""
    s.says['greeting'] = RESET
    qid = c.job([R1], port=s.port)
    c.wait(qid)
    s.says['greeting'] = '220 server ESMTP'
    return qid


def hostile():
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        for greeting, want, name in (
                ('554 5.7.1 go away', '451 4.7.1', 'a greeting of 554'),
                ('421 4.3.2 busy', '421 4.3.2', 'a greeting of 421'),
                ('521 5.3.2 no mail here', '521 5.3.2',
                 'a host that says it never takes mail'),
                ('999 hello', '451 4.5.0', 'code 999'),
                (b'\xff\xfe\0\r\n', '451 4.5.0', 'garbage'),
                (b'SSH-2.0-x\r\n', '451 4.5.0', 'another protocol'),
                ('220-a\n221 b', '451 4.5.0', 'codes that change'),
                (b'220 ' + b'x' * 5000 + b'\r\n', '451 4.5.0',
                 'a line without an end'),
                (b'220-x\r\n' * 300, '451 4.5.0', 'a reply without an end'),
                (CLOSE, '451 4.4.2', 'no greeting at all'),
                ('220 a\n250 b\n250 c\n354 d\n250 e', '451 4.5.0',
                 'answers to what was not asked')):
            got, _ = one(c, s, {'greeting': greeting}, [R1], [want], name)
            is_(got[R1][3], DOWN if want[0] == '4' else 0,
                'is about the host, or not')
            fresh(c, s)
        got = c.wait(one_reset(c, s))
        ok(short(got)[R1] in ('451 4.4.1', '451 4.4.2'), 'a reset', got)
        fresh(c, s)
        for verb in ('EHLO', 'MAIL', 'RCPT', 'DATA', 'dot'):
            for what in (b'250-x\r\n' * 300, b'\0\r\n', b'25\r\n',
                         b'250' + b' x' * 5000 + b'\r\n'):
                one(c, s, {verb: what}, [R1],
                    ['451 4.4.2' if verb == 'dot' else '451 4.5.0'],
                    '%s is answered with %r' % (verb, what[:9]))
                fresh(c, s)
        s.close()
        is_(c.stop(), 0, 'relay ends well')
    quick = {'relay-%s-timeout' % k: '1s' for k in
             ('greeting', 'command', 'data', 'dot', 'send')}
    with Carrier(quick).start() as c:
        s = Server('127.0.0.1')

        def trickle(talk):
            while True:
                talk.sock.sendall(b'2')
                talk.sock.settimeout(0.2)
                try:
                    if not talk.sock.recv(1):
                        return CLOSE
                except TimeoutError:
                    pass
        for verb in ('greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot'):
            got, _ = one(c, s, {verb: HANG}, [R1], ['451 4.4.2'],
                         'silence after %s' % verb)
            ok('timeout' in got[R1][2], 'is a timeout', got[R1])
            fresh(c, s)
        one(c, s, {'EHLO': trickle}, [R1], ['451 4.4.2'],
            'a byte now and then is no answer')
        fresh(c, s)

        def deaf(talk):
            talk.say('354 go on')
            import threading
            threading.Event().wait(4)
            return CLOSE
        with tempfile.TemporaryFile() as f:
            f.write(b'x' * 69 + b'\n')
            f.truncate(32 << 20)
            f.flush()
            got, _ = one(c, s, {'DATA': deaf, 'EHLO': '250 server'}, [R1],
                         ['451 4.4.2'], 'a server that does not read',
                         fd=f.fileno(), size=32 << 20)
        end(c, s)


# --- the way ------------------------------------------------------------

def hosts(n):
    """Servers on 127.0.0.2 and on, with one port."""
    while True:
        made = [Server('127.0.0.2')]
        try:
            for i in range(1, n):
                made.append(Server('127.0.0.%d' % (i + 2), made[0].port))
            return made
        except OSError:
            for s in made:
                s.close()


def way():
    a, b = hosts(2)
    nobody = '127.0.0.99'
    with Carrier({'smtp-port': str(a.port),
                  'listen-smtp': '127.0.0.77:%d' % a.port}).start() as c:
        def go(domain, want, name, code=0):
            for s in (a, b):
                s.talks.clear()
                s.bodies.clear()
            got = c.wait(c.job(['x@' + domain], MX, domain))['x@' + domain]
            is_('%d %s' % got[:2], want, name)
            return got, len(a.bodies), len(b.bodies)
        z = c.zone
        for n, ip in (('a', '127.0.0.2'), ('b', '127.0.0.3'), ('dead', nobody),
                      ('self', '127.0.0.77'), ('zero', '0.0.0.0'),
                      ('multi', '224.0.0.1'), ('bcast', '255.255.255.255')):
            z[A, n + '.test'] = [ip]
        z[A, 'two.test'] = [nobody, '127.0.0.3']
        z[AAAA, 'six.test'] = ['2001:db8::1']
        z[A, 'six.test'] = ['127.0.0.2']
        z[A, 'client.test'] = ['127.0.0.2']
        z[A, 'later.test'] = z[AAAA, 'later.test'] = TEMP

        def mx(domain, *hosts_):
            z[MXRR, domain] = [(p, h) for p, h in hosts_]
        mx('pref', (20, 'b.test'), (10, 'a.test'))
        is_(go('pref', '250 2.0.0', 'the best preference')[1:], (1, 0),
            'is taken')
        mx('first-dead', (10, 'dead.test'), (20, 'b.test'))
        is_(go('first-dead', '250 2.0.0', 'the first is dead')[1:], (0, 1),
            'the second takes it')
        mx('only-dead', (10, 'dead.test'))
        got = go('only-dead', '451 4.4.1', 'the only one is dead')[0]
        is_(got[3], DOWN, 'is about the host')
        a.says['greeting'] = '421 4.3.2 busy'
        mx('busy', (10, 'a.test'), (20, 'b.test'))
        is_(go('busy', '250 2.0.0', '421 at the greeting')[1:], (0, 1),
            'the next one is tried')
        a.says['greeting'] = '554 5.3.0 no'
        is_(go('pref', '250 2.0.0', '554 at the greeting')[1:], (0, 1),
            'likewise')
        a.says['greeting'] = '220 a'
        a.says['MAIL'] = CLOSE
        is_(go('busy', '250 2.0.0', 'lost before MAIL is answered')[1:],
            (0, 1), 'likewise')
        a.says['MAIL'] = '250 ok'
        mx('equal', (10, 'a.test'), (10, 'b.test'))
        seen = set()
        for i in range(40):
            c.conf['n'] = i
            for s in (a, b):
                s.says['QUIT'] = '221 bye'
            dom = 'equal'
            z[MXRR, 'equal%d' % i] = z[MXRR, dom]
            got, na, nb = go('equal%d' % i, '250 2.0.0', 'equals, again')
            seen.add((na, nb))
        is_(seen, {(1, 0), (0, 1)}, 'equals take turns')
        z[A, 'nomx'] = ['127.0.0.2']
        is_(go('nomx', '250 2.0.0', 'no MX')[1:], (1, 0), 'the address')
        go('gone.test', '550 5.1.2', 'no such domain')
        z[MXRR, 'bare'] = NODATA
        go('bare', '550 5.1.2', 'neither MX nor address')
        mx('null', (0, ''))
        got = go('null', '556 5.1.10', 'null MX')[0]
        z[MXRR, 'broken'] = TEMP
        got = go('broken', '451 4.4.3', 'DNS fails')[0]
        ok('the resolver says so' in got[2], 'and says why', got)
        z[MXRR, 'bad name'] = BAD
        mx('nohost', (10, 'missing.test'))
        go('nohost', '550 5.4.4', 'an MX without address')
        mx('laterhost', (10, 'later.test'))
        got = go('laterhost', '451 4.4.3', 'its address cannot be looked up')[0]
        ok('the resolver says so' in got[2], 'for this reason', got)
        mx('laterfirst', (10, 'later.test'), (20, 'b.test'))
        is_(go('laterfirst', '250 2.0.0', 'the second can')[1:], (0, 1),
            'and takes it')
        mx('several', (10, 'two.test'))
        is_(go('several', '250 2.0.0', 'a host with a dead address')[1:],
            (0, 1), 'has another')
        mx('ipv6', (10, 'six.test'))
        is_(go('ipv6', '250 2.0.0', 'IPv6 that leads nowhere')[1:], (1, 0),
            'IPv4 takes over')
        for name in ('zero', 'multi', 'bcast'):
            mx('to-' + name, (10, name + '.test'))
            go('to-' + name, '550 5.4.4', 'MX of %s' % name)
        mx('me', (10, 'client.test'))
        go('me', '554 5.4.6', 'we are its MX')
        mx('me2', (10, 'client.test'), (20, 'a.test'))
        is_(go('me2', '554 5.4.6', 'we are the best MX')[1:], (0, 0),
            'worse ones are not asked')
        mx('me3', (10, 'client.test'), (5, 'a.test'), (20, 'b.test'))
        is_(go('me3', '250 2.0.0', 'a better one than us')[1:], (1, 0),
            'is asked')
        mx('me4', (10, 'self.test'), (20, 'a.test'))
        is_(go('me4', '554 5.4.6', 'our address and port')[1:], (0, 0),
            'are ourselves')
        mx('me5', (5, 'dead.test'), (10, 'client.test'), (20, 'b.test'))
        go('me5', '451 4.4.1', 'the better one is dead: we wait')
        is_(go('[127.0.0.2]', '250 2.0.0', 'an address literal')[1:], (1, 0),
            'is called')
        mx('many', *((i, 'n%d.test' % i) for i in range(40)))
        z[A, 'n25.test'] = ['127.0.0.2']
        go('many', '550 5.4.4', 'forty MX')
        is_(len([1 for k, n in c.asked if k == A and n[0] == 'n' and
                 n[1:-5].isdigit()]), 20, 'only twenty are asked for')
        got = c.wait(c.job([R1], HOST, 'b.test', a.port))
        is_(short(got), {R1: '250 2.0.0'}, 'a named next hop')
        ok((MXRR, 'b.test') not in c.asked, 'needs no MX')
        got = c.wait(c.job([R1], HOST, 'missing.test', a.port))
        is_(short(got), {R1: '451 4.3.5'}, 'one without address waits')
        got = c.wait(c.job([R1], HOST, '127.0.0.77', a.port))
        is_(short(got), {R1: '451 4.3.5'}, 'one that is us waits')
        end(c, a, b)
    with Carrier({'relay-loopback': 'no'}).start() as c:
        c.zone[MXRR, 'loop'] = [(10, 'lo.test')]
        c.zone[A, 'lo.test'] = ['127.0.0.1']
        got = c.wait(c.job(['x@loop'], MX, 'loop'))
        is_(short(got), {'x@loop': '554 5.4.6'}, 'loopback is ourselves')
        end(c)
    with Carrier(dns=False).start() as c:
        got = c.wait(c.job([R1], MX, 'dest.test'))
        is_(short(got), {R1: '451 4.4.3'}, 'nobody to ask: later')
        end(c)
    with Carrier().start() as c:
        c.zone[MXRR, 'dest.test'] = 'silent'
        q = c.job([R1], MX, 'dest.test')
        c.pump(lambda: c.asked)
        c.chans.pop('dns').close()
        is_(short(c.wait(q)), {R1: '451 4.4.3'}, 'dns dies: later')
        ok(c.pump(lambda: carrier.DNSD in c.lost), 'master hears of it')
        end(c)
    with Carrier({'dns-timeout': '1s'}).start() as c:
        c.zone[MXRR, 'dest.test'] = 'silent'
        c.sockets['/run/silent'] = 'silent'
        q = c.job([R1], MX, 'dest.test'), c.job([R2], LMTP_UNIX, '/run/silent')
        c.wait(*q)
        is_(short(c.results[q[0]]), {R1: '451 4.4.3'}, 'dns is mute: later')
        is_(short(c.results[q[1]]), {R2: '451 4.4.1'}, 'so is master: later')
        end(c)


def lmtp():
    with Carrier({'relay-idle-timeout': '1m'}).start() as c:
        s = Server('127.0.0.1', lmtp=True)
        s.says['dot'] = {R1: '250 2.1.5 in', R2: '452 4.2.2 full',
                         R3: '550 5.7.1 never'}
        got = c.wait(c.job([R1, R2, R3], LMTP, '127.0.0.1', s.port))
        is_(short(got), {R1: '250 2.1.5', R2: '452 4.2.2', R3: '550 5.7.1'},
            'LMTP: each has his own answer')
        is_(s.commands()[0], 'LHLO client.test', 'to LHLO')
        s.says[R2] = '550 5.1.1 no'
        got = c.wait(c.job([R1, R2, R3], LMTP, '127.0.0.1', s.port))
        is_(short(got), {R1: '250 2.1.5', R2: '550 5.1.1', R3: '550 5.7.1'},
            'one was refused before')
        s.says['dot'] = {R1: '250 2.1.5 in', R3: CLOSE}
        got = c.wait(c.job([R1, R2, R3], LMTP, '127.0.0.1', s.port))
        is_(short(got), {R1: '250 2.1.5', R2: '550 5.1.1', R3: '451 4.4.2'},
            'lost between two answers')
        path = c.file('lmtp.sock')
        u = Server('', lmtp=True, path=path)
        u.says['dot'] = '250 2.1.5 in'
        c.sockets['/run/lmtp'] = path
        for _ in range(2):
            got = c.wait(c.job([R1, R2], LMTP_UNIX, '/run/lmtp'))
            is_(short(got), {R1: '250 2.1.5', R2: '250 2.1.5'},
                'over a local socket')
            is_(got[R1][4], '/run/lmtp', 'which is named')
        is_(len(u.talks), 1, 'that is used again')
        got = c.wait(c.job([R1], LMTP_UNIX, '/run/other'))
        is_(short(got), {R1: '451 4.4.1'}, 'a socket that master refuses')
        ok('lmtp-sockets' in got[R1][2], 'and says why', got)
        end(c, s, u)


# --- TLS, passwords -----------------------------------------------------

def tls():
    where = tempfile.mkdtemp(prefix='postern-r.')
    good = carrier.certificate(where, 'good', 'mx.dest.test',
                               'relay.test')
    with open(good, encoding='ascii') as f:
        text = f.read()
    other = carrier.certificate(where, 'other', 'mx.dest.test')
    ca = os.path.join(where, 'ca.pem')
    with open(ca, 'w', encoding='ascii') as f:
        f.write(text)
    s = Server('127.0.0.2')
    policy = {'enc.test': 'encrypt', 'ver.test': 'verify',
              'dest.test': 'verify',
              'match.test': 'verify mx.dest.test', 'none.test': 'none',
              'relay.test': 'verify', 'wrong.test': 'verify'}
    with Carrier({'smtp-port': str(s.port), 'tls-ca-file': ca},
                 policy=policy).start() as c:
        z = c.zone
        for d in ('dest', 'enc', 'ver', 'match', 'none', 'may', 'wrong',
                  'signed'):
            z[MXRR, d + '.test'] = [(10, 'mx.dest.test')]
        z[A, 'mx.dest.test'] = z[A, 'relay.test'] = ['127.0.0.2']

        def go(domain, want, name, cert=None, says=None, transport=MX):
            fresh(c, s)
            plain = dict(s.says)
            s.says.update(says or {})
            if cert:
                s.certify(cert)
            r = 'x@' + domain
            got = c.wait(c.job([r], transport, domain,
                               s.port if transport != MX else 0))[r]
            is_('%d %s' % got[:2], want, name)
            s.says = plain
            return got, [t.tls for t in s.talks]
        offer = {'EHLO': TLS, 'EHLO tls': PLAIN}
        is_(go('may.test', '250 2.0.0', 'TLS if it can be had', good,
               offer)[1], [True], 'is had')
        is_(s.commands()[:7], ['EHLO client.test', 'STARTTLS',
                           'EHLO client.test',
                           'MAIL FROM:<ann@client.test> SIZE=21',
                           'RCPT TO:<x@may.test>', 'DATA', '.'],
            'and EHLO is said again')
        is_(go('may.test', '250 2.0.0', 'not offered')[1], [False],
            'plain text')
        is_(go('may.test', '250 2.0.0', 'any certificate will do', other,
               offer)[1], [True], 'with TLS')
        is_(go('may.test', '250 2.0.0', 'STARTTLS is refused', good,
               dict(offer, STARTTLS='454 4.7.0 not now'))[1], [False],
            'plain text, on the same connection')

        def break_off(talk):
            talk.sock.sendall(b'220 go on\r\n')
            talk.sock.recv(100)
            talk.sock.sendall(b'this is no TLS\r\n')
            return CLOSE
        is_(go('may.test', '250 2.0.0', 'the handshake fails', good,
               dict(offer, STARTTLS=break_off))[1], [False, False],
            'plain text, on a new connection')
        inject = dict(offer, STARTTLS=b'220 go on\r\n250 injected\r\n')
        is_(go('enc.test', '451 4.7.5', 'bytes between 220 and handshake',
               good, inject)[1], [False], 'end it')
        is_(go('none.test', '250 2.0.0', 'policy none', good, offer)[1],
            [False], 'no TLS though it is offered')
        go('enc.test', '451 4.7.4', 'policy encrypt, not offered')
        is_(s.bodies, [], 'nothing is sent')
        go('enc.test', '451 4.7.4', 'policy encrypt, refused', good,
           dict(offer, STARTTLS='454 4.7.0 not now'))
        go('enc.test', '451 4.7.5', 'policy encrypt, broken', good,
           dict(offer, STARTTLS=break_off))
        is_(len(s.talks), 1, 'and not tried in plain text')
        is_(go('enc.test', '250 2.0.0', 'policy encrypt, any certificate',
               other, offer)[1], [True], 'TLS')
        is_(go('dest.test', '250 2.0.0', 'policy verify, good', good,
               offer)[1], [True], 'TLS')
        for again in ('', ', taken up again'):
            got = go('dest.test', '451 4.7.5', 'another authority' + again,
                     other, offer)[0]
            ok('self' in got[2] or 'certificate' in got[2], 'is named', got)
            is_(s.bodies, [], 'nothing is sent')
        got = go('ver.test', '451 4.7.5', 'an unsigned MX proves nothing',
                 good, offer)[0]
        ok('mismatch' in got[2], 'says so', got)
        is_(go('match.test', '250 2.0.0', 'match= names it', good,
               offer)[1], [True], 'TLS')
        c.secure.add('wrong.test')
        is_(go('wrong.test', '250 2.0.0', 'a signed MX does', good,
               offer)[1], [True], 'TLS')
        for cert in (good, None):
            is_(go('relay.test', '250 2.0.0', 'a host by its name', cert,
                   offer, HOST)[1], [True], 'TLS')
        ok('what=resumed' in c.log_text(), 'a session is taken up again')
        end(c, s)
    s = Server('127.0.0.1')
    with Carrier({'relay-idle-timeout': '1m'}).start() as c:
        c.wait(c.job([R1], port=s.port))
        c.give_map('tls-policy', {'127.0.0.1': b'encrypt'})
        ok(c.pump(lambda: s.commands()[-1] == 'QUIT'),
           'a new policy ends what was made under the old one')
        got = c.wait(c.job([R1], port=s.port))
        is_(short(got), {R1: '451 4.7.4'}, 'and is in force')
        end(c, s)
    secrets = '\0joe\0pass word'
    s = Server('127.0.0.1')
    s.certify(good)
    auth = '250-server\n250-AUTH PLAIN LOGIN\n250 STARTTLS'
    with Carrier() as c:
        c.policy = {'other.test': 'none', '127.0.0.1': 'encrypt'}
        c.zone[A, 'other.test'] = ['127.0.0.1']
        c.passwords['[127.0.0.1]:%d' % s.port] = 'joe\0pass word'
        c.passwords['other.test'] = 'joe\0pass word'
        c.start()

        def login(want, name, says, host='127.0.0.1'):
            fresh(c, s)
            got, cmds = one(c, s, says, [R1], [want], name, host=host)
            return cmds
        import base64
        both = dict({'EHLO': auth, 'EHLO tls': auth})
        cmds = login('250 2.0.0', 'a password', both)
        is_(cmds[3], 'AUTH PLAIN ' +
            base64.b64encode(secrets.encode()).decode(), 'by PLAIN')
        only = auth.replace('PLAIN ', '')
        cmds = login('250 2.0.0', 'a password', {
            'EHLO': only, 'EHLO tls': only, 'AUTH': '334 VXNlcm5hbWU6'})
        is_(cmds[3:6], ['AUTH LOGIN', 'am9l',
                        base64.b64encode(b'pass word').decode()], 'by LOGIN')
        login('451 4.7.8', 'a wrong one', dict(both, AUTH='535 5.7.8 no'))
        is_(s.bodies, [], 'nothing is sent')
        cmds = login('451 4.7.4', 'no TLS', {'EHLO': auth.replace(
            '250 STARTTLS', '250 SIZE')})
        is_(cmds, ['EHLO client.test'], 'no password')
        login('451 4.7.0', 'no AUTH', {'EHLO': TLS, 'EHLO tls': PLAIN})
        cmds = login('250 2.0.0', 'policy none in so many words', {
            'EHLO': auth}, 'other.test')
        ok(cmds[1].startswith('AUTH PLAIN'), 'plain text', cmds)
        log = c.log_text()
        ok('pass word' not in log and 'cGFzcyB3b3Jk' not in log,
           'no password in the log')
        end(c, s)
    s = Server('127.0.0.1')
    s.certify(good)
    for default in ('may', 'none'):
        with Carrier({'relay-tls': default, 'tls-ca-file': ca}) as c:
            c.zone[A, 'relay.test'] = c.zone[A, 'other.test'] = ['127.0.0.1']
            c.passwords['relay.test'] = c.passwords['other.test'] = 'joe\0x'
            c.start()
            fresh(c, s)
            _, cmds = one(c, s, both, [R1], ['250 2.0.0'],
                          'relay-tls %s, a password' % default,
                          host='relay.test')
            ok(cmds[3].startswith('AUTH PLAIN'), 'is given to its host', cmds)
            fresh(c, s)
            _, cmds = one(c, s, both, [R1], ['451 4.7.5'], 'not to one that '
                          'has the certificate of another', host='other.test')
            is_(cmds, ['EHLO client.test', 'STARTTLS'], 'it is not')
            fresh(c, s)
            _, cmds = one(c, s, {'EHLO': auth.replace('250 STARTTLS',
                                                      '250 SIZE')}, [R1],
                          ['451 4.7.4'], 'nor in plain text',
                          host='relay.test')
            is_(cmds, ['EHLO client.test'], 'it is not, either')
            end(c)
    fresh(c, s)
    with Carrier({'smtp-port': str(s.port), 'tls-ca-file': ca}, policy={
            '*': 'none', 'bad.test': 'nonsense'}) as c:
        c.zone[A, 'bad.test'] = ['127.0.0.1']
        c.start()
        got = c.wait(c.job([R1], MX, 'bad.test'))
        is_(short(got), {R1: '451 4.7.4'}, 'a damaged row asks for all')
        is_(c.stop(), 0, 'relay ends well')
        ok('row="bad.test"' in c.log_text(), 'and has said which it is')
    with Carrier({'smtp-port': str(s.port), 'tls-ca-file': ca}, policy={
            '*': 'verify', 'old.test': 'none'}) as c:
        c.zone[A, 'old.test'] = ['127.0.0.1']
        c.zone[MXRR, 'signed.test'] = [(1, 'old.test')]
        c.zone[MXRR, 'spoofed.test'] = [(1, 'old.test')]
        c.secure.add('signed.test')
        c.start()
        got = c.wait(c.job([R1], MX, 'spoofed.test'))
        is_(short(got), {R1: '451 4.7.4'},
            'an unsigned MX does not choose its policy')
        is_(s.bodies, [], 'nothing is sent')
        for domain in ('signed.test', 'old.test'):
            got = c.wait(c.job([R1], MX, domain))
            is_(short(got), {R1: '250 2.0.0'}, 'a signed one, a domain do')
        end(c, s)


def damaged():
    """A row of tls-policy that cannot be read."""
    with Carrier(policy={'dest.test': 'encrYpX'}).start() as c:
        s = Server('127.0.0.1')
        c.zone[A, 'dest.test'] = ['127.0.0.1']
        for _ in range(2):
            got = c.wait(c.job([R1], HOST, 'dest.test', s.port))
            is_(short(got), {R1: '451 4.7.4'}, 'a damaged row is not passed')
        log = [l for l in c.log_text().splitlines() if 'ev=map' in l]
        ok(len(log) == 1 and 'name=tls-policy row="dest.test"' in log[0],
           'the log says once which it is', *log)
        is_(c.stop(), 0, 'relay ends well')
        s.close()


def house():
    """Its place among the others."""
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        s.says['MAIL'] = HANG
        c.job([R1], port=s.port)
        c.pump(lambda: len(s.commands()) > 1)
        s.says['MAIL'] = '250 ok'
        c.chans.pop('queue').close()
        ok(c.pump(lambda: carrier.QUEUE in c.lost), 'queue dies')
        c.peer('queue', carrier.QUEUE)
        got = c.wait(c.job([R2], port=s.port))
        is_(short(got), {R2: '250 2.0.0'}, 'its successor is served')
        is_(c.results.keys() & {c.qid - 1}, set(),
            'and hears nothing of what it has not asked for')
        s.says['DATA'] = HANG
        q = c.job([R1], port=s.port)
        c.pump(lambda: 'DATA' in s.commands())
        is_(c.stop(), 0, 'stop in the middle')
        is_(c.results.get(q), None, 'gives no result')
        s.close()
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        import threading
        go = threading.Event()

        def wait(talk):
            go.wait(carrier.PATIENCE)
            return '250 2.0.0 late'
        s.says['dot'] = wait
        q = c.job([R1], port=s.port)
        c.pump(lambda: s.bodies)
        carrier.send(c.chans['master'], carrier.STOP, ident=0)
        q2 = c.job([R2], port=s.port)
        go.set()
        c.wait(q, q2)
        is_(short(c.results[q]), {R1: '250 2.0.0'}, 'drained to the end')
        is_(short(c.results[q2]), {R2: '250 2.0.0'},
            'what queue still sent, too')
        c.pump(lambda: c.proc.poll() is not None)
        is_(c.proc.poll(), 0, 'then it goes')
        s.close()
    with Carrier().start() as c:
        s = Server('127.0.0.1')
        s.says.update(RCPT='550 5.1.1 ' + 'x' * 490, DATA='503 5.5.1 no')
        for _ in range(300):
            c.job(['u%d@dest.test' % i for i in range(100)], port=s.port)
        queue = c.chans.pop('queue')
        ok(c.pump(lambda: carrier.QUEUE in c.lost),
           'a queue that takes no results is left')
        queue.close()
        c.peer('queue', carrier.QUEUE)
        s.says.update(RCPT='250 ok', DATA='354 go on')
        got = c.wait(c.job([R2], port=s.port))
        is_(short(got), {R2: '250 2.0.0'}, 'and takes the next one')
        is_(c.stop(), 0, 'all is well')
        s.close()
    with Carrier().start() as c:
        carrier.send(c.chans['master'], PING, ident=7)
        ok(c.pump(lambda: c.pongs == [7]), 'it turns, if master asks')
        is_(c.stop(), 0, 'and ends')
    with Carrier().start() as c:
        carrier.send(c.chans['queue'], carrier.JOB, b'rubbish')
        ok(c.pump(lambda: carrier.QUEUE in c.lost),
           'a malformed job ends the channel')
        is_(c.stop(), 0, 'and nothing else')


ALL = {'transaction': lambda: transaction(False),
       'drip': lambda: transaction(True), 'extensions': extensions,
       'early_answer': early_answer, 'reuse': reuse, 'crowd': crowd,
       'hostile': hostile,
       'way': way, 'lmtp': lmtp, 'tls': tls, 'damaged': damaged,
       'house': house}
for word in sys.argv[1:] or ALL:
    print('# ' + word, flush=True)
    ALL[word]()
print('1..%d' % count)
sys.exit(failed != 0)
