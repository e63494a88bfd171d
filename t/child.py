"""child: starts one daemon as master would (lib/daemon.h), without master.

For tests of blocking roles (deliver, pop3d, imapd): the set-up goes over fd 3, the
role's one peer is the other end of a socket pair. The process runs as who
started the test, in a temporary directory, its sandbox on.
"""
import array
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAN = os.environ.get("POSTERN_SAN", "")
# For what must happen, in seconds: no machine is that slow. What must not
# happen is never waited for.
PATIENCE = int(os.environ.get("PATIENCE", "240" if SAN else "120"))
ROLE, CONFIG, GO, READY = 1, 2, 8, 9  # enum ipc_type
JOB, JOB_IS = 48, 49
DELIVER, POP3D, IMAPD = 6, 8, 9       # enum role
PACKET = 192 * 1024
CONF = "hostname = mail.example.org\ndomains = example.org\n"


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def span(b):
    if isinstance(b, str):
        b = b.encode()
    return u32(len(b)) + b


def pair(kind):
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    for s in a, b:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return a, b


def send(sock, kind, body=b"", fd=None, ident=0):
    anc = []
    if fd is not None:
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    sock.sendmsg([struct.pack(">HI", kind, ident) + body], anc)


def receive(sock):
    packet = sock.recv(PACKET)
    if len(packet) < 6:
        return None, packet
    return struct.unpack(">H", packet[:2])[0], packet[6:]


class Child:
    """A running daemon; peer is the other end of its client_fd."""

    def __init__(self, role, root, mailbox="", user="", given=b"", conf=CONF,
                 wrap=(), tag=""):
        name = {DELIVER: "deliver", POP3D: "pop3d", IMAPD: "imapd"}[role]
        kind = socket.SOCK_SEQPACKET if role == DELIVER else socket.SOCK_STREAM
        self.master, theirs = pair(socket.SOCK_SEQPACKET)
        self.peer, end = pair(kind)
        self.log = tempfile.TemporaryFile()
        program = os.path.join(TOP, name, name + SAN)

        self.process = subprocess.Popen(
            [*wrap, program], stdin=subprocess.DEVNULL, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=self.log,
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3), env={})
        theirs.close()
        fields = u32(role) + u32(0) + u32(1) + u32(0)
        fields += u64(os.getuid()) + u64(os.getgid())
        for text in (user, "", root, mailbox, "ann@example.org", "192.0.2.1",
                     "testsid", given, tag, "stderr"):
            fields += span(text)
        memory = os.memfd_create("conf")
        os.write(memory, conf.encode())
        send(self.master, ROLE, fields, end.fileno())
        send(self.master, CONFIG, b"", memory)
        send(self.master, GO)
        os.close(memory)
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
        self.log.seek(0)
        return self.log.read().decode()


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
