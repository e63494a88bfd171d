#!/usr/bin/env python3
"""Sessions come from a stem (master/stem.h): they are master's own children,
a dead stem stops no login, a crashed session gets the next ones a fresh stem,
and so does a reload, which ends no session.
"""
import imaplib
import json
import os
import poplib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 't'))
from child import PATIENCE, Tap  # noqa: E402

t = Tap()
if not sys.platform.startswith('linux'):
    print('1..0 # SKIP no fork of siblings here')
    sys.exit(0)
top = tempfile.mkdtemp(prefix='postern-s.')
env = {}


def instance(verb, *options):
    return subprocess.run([os.path.join(TOP, 't', 'instance'), verb, top,
                           *options], check=True)


def postern(*words):
    return subprocess.run([env['POSTERN'], '-c', env['CONF'], *words],
                          check=True, capture_output=True, text=True).stdout


def processes(state=None):
    rows = [dict(w.split('=', 1) for w in line.split())
            for line in postern('status', '--processes').splitlines()]
    return [r for r in rows if r['role'] == 'pop3d' and
            (r['state'] == 'stem') == (state == 'stem')]


def until(fn):
    end = time.monotonic() + PATIENCE
    while not fn() and time.monotonic() < end:
        time.sleep(0.05)
    return fn()


def stem():
    return [int(r['pid']) for r in processes('stem')]


def sessions():
    return [int(r['pid']) for r in processes()]


def unborn():
    return [r for r in json.loads(postern('status', '--json'))['processes']
            if r['pid'] == 0]


def login():
    p = poplib.POP3('127.0.0.1', int(env['POP3_PORT']), timeout=PATIENCE)
    p.user(env['USER1'])
    p.pass_(env['PASS1'])
    return p


def imap():
    i = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']), PATIENCE)
    i.login(env['USER1'], env['PASS1'])
    return i


def imap_comes():
    try:
        return imap().logout()
    except imaplib.IMAP4.error:
        return None


def parent(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as f:
        return int(dict(l.split(':', 1) for l in f if ':' in l)['PPid'])


def fresh(old):
    return until(lambda: stem() and stem() != old)


def run():
    t.ok(until(lambda: len(stem()) == 1), 'there is one stem', stem())
    first = stem()
    with open(env['PIDFILE'], encoding='ascii') as f:
        master = int(f.read())
    one, two = login(), login()
    t.ok(until(lambda: len(sessions()) == 2), 'two sessions are counted')
    t.ok(all(parent(p) == master for p in sessions() + first),
         "they and the stem are master's children")
    maps = [open('/proc/%d/maps' % p, encoding='ascii').read().split()[0]
            for p in sessions() + first]
    t.same(len(set(maps)), 1, 'of one layout')

    os.kill(first[0], signal.SIGKILL)
    until(lambda: first[0] not in stem()) # who asks before that is told no
    three = login()
    t.ok(three.stat() is not None, 'a login while the stem is dead')
    t.ok(fresh(first), 'it comes again')
    t.ok(one.stat() is not None, 'the sessions it made live on')

    old, mine = stem(), set(sessions())
    four = login()
    t.ok(until(lambda: len(set(sessions()) - mine) == 1), 'one more session')
    crash = (set(sessions()) - mine).pop()
    os.kill(crash, signal.SIGXCPU)
    t.ok(fresh(old), 'a crash gets the next ones another stem')
    t.ok(until(lambda: crash not in sessions()), 'the crashed one is gone')
    four.close()

    old = stem()
    postern('reload')
    t.ok(fresh(old), 'so does a reload')
    t.ok(until(lambda: old[0] not in stem() + sessions()) and
         not os.path.exists('/proc/%d' % old[0]), 'the old stem ends')
    for p in one, two, three:
        t.ok(p.stat() is not None, 'a session goes on')
        p.quit()
    t.ok(login().quit() is not None, 'and the next one comes')
    t.ok(until(lambda: not sessions()), 'all sessions have ended')

    held = [login(), imap(), imap(), login()]
    try:
        imap()
        t.ok(False, 'a fifth session')
    except imaplib.IMAP4.error as e:
        t.ok('[LIMIT]' in str(e), 'POP3 and IMAP are counted together', e)
    for one in held:
        one.quit() if hasattr(one, 'quit') else one.logout()
    t.ok(until(lambda: not sessions()), 'they have ended')
    t.ok(until(imap_comes), 'then there is room')

    held = stem()[0]
    os.kill(held, signal.SIGSTOP)
    waiting = subprocess.Popen([sys.executable, '-c',
        'import poplib, sys\n'
        'p = poplib.POP3("127.0.0.1", int(sys.argv[1]))\n'
        'p.user(sys.argv[2])\n'
        'p.pass_(sys.argv[3])\n'
        'p.quit()', env['POP3_PORT'], env['USER2'], env['PASS2']],
        stderr=subprocess.DEVNULL)
    t.ok(until(unborn), 'a session is asked for')
    os.kill(held, signal.SIGKILL)
    waiting.wait(PATIENCE)
    t.ok(waiting.returncode != 0 and fresh([held]),
         'who waits for a stem that dies is told so')
    t.ok(login().quit() is not None, 'and may try again')


try:
    instance('start', '--users', '2', '--set', 'auth-delay=0ms',
             '--set', 'user-sessions=4')
    with open(os.path.join(top, 'env'), encoding='utf-8') as f:
        for line in f:
            key, _, value = line.strip().partition('=')
            env[key] = value.strip("'")
    run()
    instance('stop')
    t.ok(True, 'stop is clean')
finally:
    subprocess.run([os.path.join(TOP, 't', 'instance'), 'stop', top],
                   stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
t.done()
