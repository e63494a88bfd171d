#!/usr/bin/env python3
"""The log tells what IMAP and POP3 sessions did to mail, one line a command,
whatever a folder is called; postern trace finds it by queue id.
"""
import imaplib
import os
import poplib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 't'))
from child import PATIENCE, Tap  # noqa: E402

ODD = '"Old \\"mail\\""'
t = Tap()
top = tempfile.mkdtemp(prefix='postern-g.')
env = {}


def instance(verb, *options):
    return subprocess.run([os.path.join(TOP, 't', 'instance'), verb, top,
                           *options], check=True)


def trace(*what):
    return subprocess.run([env['POSTERN'], '-c', env['CONF'], 'trace', *what],
                          capture_output=True, text=True).stdout


def sums():
    """Of three messages for one address, the last one refused there."""
    log = os.path.join(top, 'old.log')
    events = [('queued', 'from="a@b.test"'), ('delivered', 'to="x@y.test"'),
              ('queued', 'from="a@b.test"'), ('expired', 'to="x@y.test"'),
              ('queued', 'from="a@b.test"'), ('deferred', 'to="x@y.test"'),
              ('bounced', 'to="x@y.test"')]
    with open(log, 'w', encoding='utf-8') as f:
        for i, (event, more) in enumerate(events):
            f.write(f'2026-11-21T08:37:0{i}.000Z host postern/queue[9]: '
                    f'ev={event} qid=2BnjFyyp5w{min(i // 2, 2)} {more}\n')
    said = trace('--file', log, 'x@y.test').splitlines()[-1]
    t.ok(said.startswith('3 messages; 1 deliveries, 1 put off, 2 bounced, 0 '
                         'refused. The last one could not be delivered'),
         f'what became of all is counted: {said}')


def lines(event):
    """Of the event, each as a dictionary, in order."""
    with open(env['LOG'], encoding='utf-8') as f:
        return [dict((k, v[1:-1] if v[0] == '"' else v) for k, v in
                     re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line))
                for line in f if f' ev={event} ' in line]


def until(fn):
    end = time.monotonic() + PATIENCE
    while not fn() and time.monotonic() < end:
        time.sleep(0.05)
    return fn()


def send(n):
    s = smtplib.SMTP('127.0.0.1', int(env['SMTP_PORT']), 'client.test',
                     timeout=PATIENCE)
    for i in range(n):
        s.sendmail('a@client.test', [env['USER1']],
                   f'Subject: {i}\r\n\r\nbody\r\n')
    s.quit()


def by_imap():
    i = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']), PATIENCE)
    i.login(env['USER1'], env['PASS1'])
    i.create(ODD)
    i.create('Gone')
    i.rename('Gone', 'Away')
    i.delete('Away')
    i.append('INBOX', '', None, b'Subject: x\r\n\r\nx\r\n')
    i.select()
    i.uid('COPY', '2:3,5', ODD)
    i.uid('MOVE', '1', ODD)
    i.uid('STORE', '2,4', '+FLAGS', '(\\Deleted)')
    i.expunge()
    i.expunge()
    return i


def by_pop3():
    p = poplib.POP3('127.0.0.1', int(env['POP3_PORT']), timeout=PATIENCE)
    p.user(env['USER1'])
    p.pass_(env['PASS1'])
    p.dele(1)
    p.quit()


def folders_told(user):
    t.ok([(r['user'], r['what'], r['folder'], r.get('into'))
          for r in lines('folder')] ==
         [(user, 'created', ODD[1:-1], None),
          (user, 'created', 'Gone', None),
          (user, 'renamed', 'Gone', 'Away'),
          (user, 'deleted', 'Away', None)], 'folders come and go')


def run():
    user = env['USER1']
    send(4)
    t.ok(until(lambda: len(lines('delivered')) == 4), 'four messages are here')
    qids = {r['qid'] for r in lines('delivered')}
    i = by_imap()

    # each was told before the client had its answer
    folders_told(user)
    t.ok([(r['user'], r['folder'], r['n'], r['uids'], r['size'])
          for r in lines('append')] == [(user, 'INBOX', '1', '5', '17')],
         'one is added')
    copy, move, expunge = (lines(e) for e in ('copy', 'move', 'expunge'))
    t.ok([len(x) for x in (copy, move, expunge)] == [1, 1, 1],
         'a line a command that did something')
    copy, move, expunge = copy[0], move[0], expunge[0]
    t.ok(len({r['sid'] for r in (copy, move, expunge)}) == 1 and
         all(r['user'] == user and r['folder'] == 'INBOX'
             for r in (copy, move, expunge)), 'who, and where')
    t.ok((copy['n'], copy['uids'], copy['as']) == ('3', '2:3,5', '1:3') and
         len(set(copy['qids'].split()) & qids) == 2, 'three are copied')
    t.ok((move['n'], move['uids'], move['as']) == ('1', '1', '4') and
         move['into'] == copy['into'] and {move['qids']} < qids,
         'one is moved')
    t.ok((expunge['n'], expunge['uids']) == ('2', '2,4') and
         set(expunge['qids'].split()) < qids, 'two are removed')
    i.uid('STORE', '5', '+FLAGS', '(\\Deleted)')
    i.close()
    last = lines('expunge')[-1]
    t.ok(last['uids'] == '5' and 'qids' not in last, 'CLOSE removes, too')
    i.logout()

    t.ok('was moved from the folder INBOX to Old' in trace(move['qids']),
         'trace tells where one has gone')
    said = trace(expunge['qids'].split()[0])
    t.ok('was removed from the folder INBOX at ' in said and
         said.endswith(f'by {user}.\n'), 'and who has removed another')

    by_pop3()
    t.ok(until(lambda: len(lines('expunge')) == 3), 'POP3 tells it, too')
    last = lines('expunge')[-1]
    t.ok({last['qids']} == qids - {move['qids']} -
         set(expunge['qids'].split()) and last['n'] == '1' and
         last['user'] == user, 'which was the last one')


try:
    instance('start', '--users', '1')
    with open(os.path.join(top, 'env'), encoding='utf-8') as f:
        for line in f:
            key, _, value = line.strip().partition('=')
            env[key] = value.strip("'")
    sums()
    run()
finally:
    stopped = subprocess.run([os.path.join(TOP, 't', 'instance'), 'stop',
                              top]).returncode
    t.ok(stopped == 0, 'stop is clean')
    shutil.rmtree(top, ignore_errors=True)
t.done()
