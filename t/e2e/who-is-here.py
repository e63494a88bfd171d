#!/usr/bin/env python3
"""postern who tells the sessions, postern kick ends them, with a last word to
the client; there may be more of them than fit into one answer.
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

CROWD = 520  # more than master looks at in one step
t = Tap()
top = tempfile.mkdtemp(prefix='postern-w.')
env = {}


def instance(verb, *options):
    return subprocess.run([os.path.join(TOP, 't', 'instance'), verb, top,
                           *options], check=True)


def postern(*words, status=0):
    p = subprocess.run([env['POSTERN'], '-c', env['CONF'], *words],
                       capture_output=True, text=True)
    if p.returncode != status:
        print(f'# {words}: {p.returncode}, {p.stdout} {p.stderr}')
    return p.stdout if p.returncode == status else ''


def who(*whom):
    return [json.loads(line) for line in
            postern('who', '--json', *whom).splitlines()]


def logged():
    with open(env['LOG'], encoding='utf-8') as f:
        return f.read()


def until(fn):
    end = time.monotonic() + PATIENCE
    while not fn() and time.monotonic() < end:
        time.sleep(0.05)
    return fn()


def gone(*whom):
    p = subprocess.run([env['POSTERN'], '-c', env['CONF'], 'who', *whom],
                       capture_output=True)
    return p.returncode == 66 or p.stdout == b''


def login(n):
    p = poplib.POP3('127.0.0.1', int(env['POP3_PORT']), timeout=PATIENCE)
    p.user(env[f'USER{n}'])
    p.pass_(env[f'PASS{n}'])
    return p


def imap(n):
    i = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']), PATIENCE)
    i.login(env[f'USER{n}'], env[f'PASS{n}'])
    return i


def last_words(sock):
    text = b''
    while True:
        try:
            more = sock.recv(4096)
        except ConnectionResetError:
            more = b''
        if not more:
            return text
        text += more


try:
    instance('start', '--users', '2', '--set', 'user-sessions=1000')
    with open(os.path.join(top, 'env')) as f:
        for line in f:
            key, _, value = line.strip().partition('=')
            env[key] = value.strip("'")
    user1, user2 = env['USER1'], env['USER2']

    t.ok(postern('who') == '', 'nobody is there at first')
    i, p = imap(1), login(2)
    i.select()
    # They may serve before master has heard of their birth.
    until(lambda: [r['state'] for r in who() if r['pid']] == ['open'] * 2)
    rows = who()
    t.ok([(r['service'], r['user'], r['client']) for r in rows] ==
         [('pop3', user2, '127.0.0.1'), ('imap', user1, '127.0.0.1')],
         'two sessions, the youngest first')
    t.ok(all(abs(time.time() - r['since']) < PATIENCE for r in rows) and
         all(os.path.exists(f"/proc/{r['pid']}") or sys.platform != 'linux'
             for r in rows), 'since when, and the process')
    seen = set()
    for _ in range(25):  # more than a second: its end is nobody's beginning
        seen.add(tuple(r['since'] for r in who()))
        time.sleep(0.05)
    t.ok(len(seen) == 1, 'which does not change')
    t.ok(until(lambda: all(f"sid={r['sid']} " in logged() for r in rows)),
         'the session ids are those of the log')
    t.ok([r['user'] for r in who(user1)] == [user1], 'asked for a user')
    t.ok([r['user'] for r in who(rows[0]['sid'])] == [user2],
         'asked for a session')
    t.ok(len(who('127.0.0.1')) == 2, 'asked for an address')
    lines = postern('who').splitlines()
    t.ok(len(lines) == 3 and lines[0].split() ==
         ['user', 'client', 'since', 'pid', 'session'] and
         lines[1].split()[::5] == [user2, rows[0]['sid']], 'as a table')
    t.ok(gone('nobody@example.net'), 'somebody who is not there')

    p64 = subprocess.run([env['POSTERN'], '-c', env['CONF'], 'kick'],
                         capture_output=True)
    t.ok(p64.returncode == 64, 'nobody is kicked by a slip')
    t.ok(len(postern('kick', rows[1]['sid']).splitlines()) == 2,
         'a session is ended')
    said = last_words(i.sock)
    t.ok(said.startswith(b'* BYE '), f'IMAP says BYE: {said}')
    t.ok(len(postern('kick', user2.upper()).splitlines()) == 2,
         'a user is ended')
    said = last_words(p.sock)
    t.ok(said.startswith(b'-ERR '), f'POP3 says -ERR: {said}')
    t.ok(until(lambda: postern('who') == ''), 'they are gone')
    log = logged()
    t.ok(log.count('ev=kick ') == 2 and f'user="{user2}"' in log,
         'the log tells it')
    t.ok(postern('kick', user1, status=66) == '', 'and once more: nobody')

    i = imap(1)
    until(lambda: [r['state'] for r in who() if r['pid']] == ['open'])
    os.kill(who(user1)[0]['pid'], signal.SIGSTOP)
    t.ok(len(postern('kick', user1).splitlines()) == 2 and
         until(lambda: gone(user1)), 'one that does not hear it is killed')
    i.shutdown()

    # many: each a process, so these are POP3 sessions of one box
    crowd = [login(1) for _ in range(CROWD)]
    rows = who()
    t.ok(len(rows) == CROWD and len({r['sid'] for r in rows}) == CROWD,
         f'{len(rows)} of {CROWD} sessions, each once')
    t.ok(len(postern('kick', user1).splitlines()) == CROWD + 1,
         'all are ended')
    t.ok(all(last_words(c.sock).startswith(b'-ERR') for c in crowd),
         'each was told so')
    t.ok(until(lambda: postern('who') == ''), 'they are gone')
finally:
    stopped = subprocess.run([os.path.join(TOP, 't', 'instance'), 'stop',
                              top]).returncode
    t.ok(stopped == 0, 'stop is clean')
    shutil.rmtree(top, ignore_errors=True)
t.done()
