#!/usr/bin/env python3
"""The log file may be renamed and the system logger restarted under processes
that live long, sessions among them: no line is lost, and nobody waits for a
logger that hangs.
"""
import imaplib
import os
import re
import shutil
import signal
import smtplib
import socket
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
top = tempfile.mkdtemp(prefix='postern-r.')
os.chmod(top, 0o755)
env = {}


def instance(verb, *options):
    subprocess.run([os.path.join(TOP, 't', 'instance'), verb,
                    os.path.join(top, 'i'), *options], check=True)
    with open(os.path.join(top, 'i', 'env'), encoding='utf-8') as f:
        for line in f:
            key, _, value = line.strip().partition('=')
            env[key] = value.strip("'")


def postern(*words):
    return subprocess.run([env['POSTERN'], '-c', env['CONF'], *words],
                          check=True, capture_output=True, text=True).stdout


def until(fn):
    end = time.monotonic() + PATIENCE
    while not fn() and time.monotonic() < end:
        time.sleep(0.05)
    return fn()


def imap():
    i = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']), PATIENCE)
    i.login(env['USER1'], env['PASS1'])
    return i


def send(n=1):
    s = smtplib.SMTP('127.0.0.1', int(env['SMTP_PORT']), 'client.test',
                     timeout=PATIENCE)
    for _ in range(n):
        s.sendmail('a@client.test', [env['USER1']],
                   'Subject: x\r\n\r\nbody\r\n')
    s.quit()


def text_of(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def logs_of_all():
    """Where each process writes; some are about to end."""
    found = []
    for pid in re.findall(r'pid=(\d+)', postern('status', '--processes')):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/2'))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def renamed():
    """logrotate(8) without copytruncate."""
    instance('start', '--users', '1')
    log, old = env['LOG'], env['LOG'] + '.1'
    i = imap()
    send()  # there is a deliver process now
    os.rename(log, old)
    postern('reload')
    if sys.platform.startswith('linux'):
        t.ok(until(lambda: len(logs_of_all()) > 8 and
                   set(logs_of_all()) == {log}),
             'every process has the new file')
    else:
        t.ok(until(lambda: os.path.exists(log)), 'there is a new file')
    before = text_of(old)
    i.create('One')
    t.ok('folder="One"' in text_of(log), 'an old session logs there')
    j = imap()
    j.create('Two')
    t.ok('folder="Two"' in text_of(log), 'a new one, too')
    inode = os.stat(log).st_ino
    postern('reload')
    i.create('Three')
    t.ok('folder="Three"' in text_of(log) and os.stat(log).st_ino == inode,
         'a reload without a rename')
    i.logout()
    j.logout()
    t.ok(until(lambda: text_of(log).count('ev=logout') == 2) and
         text_of(old) == before, 'nothing goes to the old one')
    instance('stop')


class Logger:
    """A syslogd."""
    def __init__(self, path):
        self.path = path
        self.lines = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.setblocking(False)

    def has(self, *wanted):
        while True:
            try:
                self.lines.append(self.sock.recv(65536).decode())
            except BlockingIOError:
                break
        return all(any(w in line for line in self.lines) for w in wanted)

    def end(self):
        self.has()
        self.sock.close()
        os.unlink(self.path)


def restarted():
    path = os.path.join(top, 'logger')
    first = Logger(path)
    shutil.rmtree(os.path.join(top, 'i'))
    instance('start', '--users', '1', '--set', f'log=syslog:{path}')
    t.ok(until(lambda: first.has('ev=start ')), 'the logger hears of the start')
    t.ok(re.match(r'<22>\w{3} [ \d]\d \d\d:\d\d:\d\d postern/master\[\d+\]: '
                  r'ev=start ', next(x for x in first.lines if 'ev=start ' in x))
         is not None, 'in the form that loggers know')
    i = imap()
    first.end()
    i.create('Meanwhile')
    send()
    second = Logger(path)
    t.ok(until(lambda: second.has('ev=queued ', 'ev=delivered ')),
         'what happened while there was none comes later')
    i.create('After')
    t.ok(until(lambda: second.has('folder="Meanwhile"', 'folder="After"')),
         'from a session, too')

    # It hangs, and reads nothing: mail goes on.
    send(40)
    t.ok(until(lambda: postern('queue', 'count') == '0\n'),
         'nobody waits for a logger that hangs')
    t.ok(until(lambda: sum('ev=delivered ' in x for x in second.lines) == 41 if
               second.has() else False), 'which gets every line when it wakes')
    i.logout()
    t.ok(until(lambda: second.has('ev=logout ')), 'the last one, too')
    instance('stop')
    second.end()
    t.ok(not any('dropped=' in x for x in first.lines + second.lines),
         'not one is missing')


STEM = """#!%s
import ctypes, os, signal, socket, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, %r)
from child import PACKET
from wire import FORK, FORK_IS, READY, STEM, send, split, split_fds, u64
top = %r
master = socket.socket(fileno=3)

def session(channel):
    def told(*_):
        open(os.path.join(top, 'told'), 'w').close()
    signal.signal(signal.SIGUSR1, told)
    send(channel, READY)
    open(os.path.join(top, 'ready'), 'w').close()
    while True:
        signal.pause()

@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
def born(_):
    session(channel)

libc = ctypes.CDLL(None, use_errno=True)
CLONE_PARENT = 0x8000
stack = ctypes.create_string_buffer(1 << 20)
while True:
    b, anc, _, _ = master.recvmsg(PACKET, socket.CMSG_SPACE(16))
    kind, ident, _ = split(b)
    if kind is None:
        break
    if kind == STEM:
        send(master, READY)
    if kind == FORK:
        channel = socket.socket(fileno=split_fds(anc)[0])
        pid = libc.clone(born, ctypes.c_void_p(
            (ctypes.addressof(stack) + len(stack) - 64) & ~63),
            CLONE_PARENT | signal.SIGCHLD, None)
        while not os.path.exists(os.path.join(top, 'answer')):
            time.sleep(0.05)
        send(master, FORK_IS, u64(pid), None, ident)
"""


def unborn():
    """The log is renamed between a session's READY and its number."""
    there = {n: os.path.join(top, n) for n in ('ready', 'answer', 'told')}
    libexec = os.path.join(top, 'i', 'libexec', 'imapd')
    shutil.rmtree(os.path.join(top, 'i'))
    instance('start', '--users', '1')
    instance('stop')
    os.unlink(libexec)
    with open(libexec, 'w', encoding='utf-8') as f:
        f.write(STEM % (sys.executable, os.path.join(TOP, 't'), top))
    os.chmod(libexec, 0o755)
    instance('start')
    i = imaplib.IMAP4('127.0.0.1', int(env['IMAP_PORT']), PATIENCE)
    i.send(f'a LOGIN {env["USER1"]} {env["PASS1"]}\r\n'.encode())
    t.ok(until(lambda: os.path.exists(there['ready'])) and
         'role=imapd' in postern('status', '--processes'),
         'a session is ready before master knows its number')
    os.rename(env['LOG'], env['LOG'] + '.1')
    os.kill(int(text_of(env['PIDFILE'])), signal.SIGUSR1)
    t.ok(until(lambda: os.path.exists(env['LOG'])),
         'SIGUSR1 to master: there is a new log')
    t.ok('role=imapd' in postern('status', '--processes'),
         'and master goes on')
    open(there['answer'], 'w', encoding='utf-8').close()
    t.ok(until(lambda: os.path.exists(there['told'])),
         'the session hears of it when its number is known')
    i.shutdown()
    instance('stop')


try:
    renamed()
    restarted()
    if sys.platform.startswith('linux'):
        unborn()
finally:
    stopped = subprocess.run([os.path.join(TOP, 't', 'instance'), 'stop',
                              os.path.join(top, 'i')]).returncode
    t.ok(stopped == 0, 'stop is clean')
    shutil.rmtree(top, ignore_errors=True)
t.done()
