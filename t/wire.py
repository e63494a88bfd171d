"""wire: the channels between processes: lib/ipc.h, lib/ipc_field.c and
lib/role.h, written a second time on purpose. A change of the protocol that
only one side notices shows here.
"""
import array
import os
import socket
import struct

(ROLE, CONFIG, LISTEN, PEER, MAP, CERT, DIR, GO, READY, STOP, WORKER, WORKER_IS,
 SESSION, SESSION_IS, PEER_LOST, CONNECT, CONNECT_IS, STEM, FORK, FORK_IS,
 TICKETS, PING, PONG) = range(1, 24)
SPOOL_OPEN, SPOOL_IS, SUBMIT, SUBMIT_IS, SPOOL_ABORT = range(32, 37)
JOB, JOB_IS = 48, 49
AUTH, AUTH_IS = 64, 65
CTL, CTL_TEXT, CTL_END = 80, 81, 82
DNS, DNS_IS = 96, 97
SMTPD, LOGIN, AUTHD, DNSD, QUEUE, DELIVER, RELAY, POP3D, IMAPD = range(1, 10)


def u8(n):
    return struct.pack('>B', n)


def u32(n):
    return struct.pack('>I', n)


def u64(n):
    return struct.pack('>Q', n)


def span(s):
    s = s if isinstance(s, bytes) else s.encode()
    return u32(len(s)) + s


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        if n > len(self.data):
            raise ValueError('short message')
        got, self.data = self.data[:n], self.data[n:]
        return got

    def u32(self):
        return struct.unpack('>I', self.take(4))[0]

    def u64(self):
        return struct.unpack('>Q', self.take(8))[0]

    def span(self):
        return self.take(self.u32())

    def text(self):
        return self.span().decode('latin-1')


def pair(kind=socket.SOCK_SEQPACKET):
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    for s in a, b:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return a, b


def send(sock, kind, body=b'', fds=None, ident=0):
    """fds: None, one, or several."""
    fds = [fds] if isinstance(fds, int) else list(fds or ())
    anc = []
    if fds:
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))]
    sock.sendmsg([struct.pack('>HI', kind, ident) + body], anc)


def send_text(sock, kind, body, text):
    """A text goes as a descriptor."""
    fd = os.memfd_create('text')
    os.write(fd, text.encode())
    send(sock, kind, body, fd)
    os.close(fd)


def send_files(sock, kind, body, *paths):
    fds = [os.open(p, os.O_RDONLY) for p in paths]
    send(sock, kind, body, fds)
    for fd in fds:
        os.close(fd)


def send_tally(master):
    """Shared counters: more bytes than lib/tally.c wants."""
    fd = os.memfd_create('tally')
    os.truncate(fd, 16 << 20)
    send(master, DIR, span('tally'), fd)
    os.close(fd)


def send_peer(master, role, index=0):
    """A new channel to a process of that role, which is us: our end."""
    ours, theirs = pair()
    send(master, PEER, u32(role) + u32(index), theirs.fileno())
    theirs.close()
    return ours


def split(packet):
    """(type, id, body); type None: closed."""
    if len(packet) < 6:
        return None, 0, b''
    return (*struct.unpack('>HI', packet[:6]), packet[6:])


def split_fds(ancillary):
    """What came with recvmsg()."""
    return [fd for _, _, got in ancillary for fd in array.array('i', got)]
