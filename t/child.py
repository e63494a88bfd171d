"""child: starts one daemon as master would (lib/daemon.h), without master.

For tests of blocking roles (deliver, pop3d, imapd): the set-up goes over fd 3, the
role's one peer is the other end of a socket pair. The process runs as who
started the test, in a temporary directory, its sandbox on.
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile

from wire import (CONFIG, DELIVER, GO, IMAPD, POP3D, READY, ROLE, pair, send,
                  send_text, span, split, u32, u64)

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAN = os.environ.get("POSTERN_SAN", "")
# For what must happen, in seconds: no machine is that slow. What must not
# happen is never waited for.
PATIENCE = int(os.environ.get("PATIENCE", "240" if SAN else "120"))
PACKET = 192 * 1024
CONF = "hostname = mail.example.org\ndomains = example.org\n"


def spawn(name, role, log, wrap=(), texts=('',) * 9, fd=None):
    """NAME as master starts it, and the channel to it. texts: those of its
    role (lib/ipc_setup.h)."""
    master, theirs = pair()
    process = subprocess.Popen(
        [*wrap, os.path.join(TOP, name, name + SAN)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
        close_fds=False, preexec_fn=lambda: os.dup2(theirs.fileno(), 3),
        env={k: v for k, v in os.environ.items() if 'SAN_OPTIONS' in k})
    theirs.close()
    send(master, ROLE, u32(role) + u32(0) + u32(1) + u32(0) +
         u64(os.getuid()) + u64(os.getgid()) +
         b''.join(map(span, (*texts, 'stderr'))), fd)
    return process, master


def conf_text(settings):
    return ''.join('%s = %s\n' % kv for kv in settings.items())


def wait_ready(name, master, log_text):
    """The rest of the test makes no sense without it."""
    master.settimeout(PATIENCE)
    try:
        kind = split(master.recv(PACKET))[0]
    except OSError:
        kind = None
    if kind != READY:
        raise SystemExit('Bail out! %s does not start: %s' %
                         (name, log_text().replace('\n', ' / ')))


def receive(sock):
    kind, _, body = split(sock.recv(PACKET))
    return kind, body


def written(log):
    """What a process wrote so far. Its descriptor and ours share one offset:
    to seek and to read would race with its writing."""
    fd = log.fileno()
    return os.pread(fd, os.fstat(fd).st_size, 0).decode('latin-1')


class Child:
    """A running daemon; peer is the other end of its client_fd."""

    def __init__(self, role, root, mailbox="", user="", given=b"", conf=CONF,
                 wrap=(), tag=""):
        name = {DELIVER: "deliver", POP3D: "pop3d", IMAPD: "imapd"}[role]
        kind = socket.SOCK_SEQPACKET if role == DELIVER else socket.SOCK_STREAM
        self.peer, end = pair(kind)
        self.log = tempfile.TemporaryFile()
        self.process, self.master = spawn(
            name, role, self.log, wrap,
            (user, "", root, mailbox, "ann@example.org", "192.0.2.1",
             "testsid", given, tag), end.fileno())
        send_text(self.master, CONFIG, b"", conf)
        send(self.master, GO)
        end.close()
        self.ready = receive(self.master)[0] == READY

    def end(self, wait=PATIENCE):
        """Closes the peer, waits; the exit status."""
        self.peer.close()
        status = self.process.wait(wait)
        self.master.close()
        return status

    def term(self):
        self.process.send_signal(signal.SIGTERM)

    def logged(self):
        return written(self.log)


class Tap:
    """ok() and done(), as in t/unit/tap.h."""

    def __init__(self):
        self.run = self.failed = 0

    def ok(self, good, name, detail=None):
        self.run += 1
        print(("" if good else "not ") + "ok %d - %s" % (self.run, name),
              flush=True)
        if not good:
            self.failed += 1
            if detail is not None:
                for line in str(detail).splitlines():
                    print("# " + line[:300])
        return good

    def same(self, got, want, name):
        return self.ok(got == want, name, "got %r\nwanted %r" % (got, want))

    def done(self):
        print("1..%d" % self.run, flush=True)
        sys.exit(1 if self.failed else 0)
