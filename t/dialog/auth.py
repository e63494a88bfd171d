"""auth, question by question: what smtpd and login hear, what master is
asked, and that nobody's mistake is another's trouble."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from child import PATIENCE, SAN, TOP, Tap, conf_text, spawn, written
from wire import (AUTH, AUTH_IS, AUTHD, CONFIG, GO, LOGIN, MAP, POP3D, READY,
                  SESSION, SESSION_IS, SMTPD, STOP, send, send_files, send_peer,
                  send_text, span, split, split_fds, u32, u64)

OK, BAD, LATER, LIMITED, FULL = range(5)
t = Tap()
top = tempfile.mkdtemp(prefix="postern-auth.")
CONF = os.path.join(top, "postern.conf")
HASH = subprocess.check_output(["openssl", "passwd", "-6", "-salt",
    "rounds=20000$abcdefgh", "secret"]).decode().strip()


def conf(**more):
    keys = {"hostname": "mail.example.org", "domains": "example.org",
            "map-dir": top, "mail-root": os.path.join(top, "mail"),
            "mail-user": "64000", "auth-delay": "0ms", "auth-failures": "5"}
    keys.update({k.replace("_", "-"): v for k, v in more.items()})
    return conf_text(keys)


def compile_map(users):
    with open(CONF, "w") as f:
        f.write(conf())
    with open(os.path.join(top, "users"), "w") as f:
        f.write(users)
    subprocess.check_call([os.path.join(TOP, "ctl", "postern" + SAN), "-c",
                           CONF, "map", "users"], stdout=subprocess.DEVNULL)


def receive(sock, wait=PATIENCE):
    """(type, id, body, fd); type None: closed; "silent": nothing came."""
    sock.settimeout(wait)
    try:
        b, anc, _, _ = sock.recvmsg(400000, socket.CMSG_SPACE(16))
    except socket.timeout:
        return "silent", 0, b"", None
    except ConnectionError:
        return None, 0, b"", None
    fds = split_fds(anc)
    return (*split(b), fds[0] if fds else None)


class Auth:
    def __init__(self, with_map=True, **settings):
        self.log = tempfile.TemporaryFile()
        self.process, self.master = spawn("auth", AUTHD, self.log)
        send_text(self.master, CONFIG, b"", conf(**settings))
        if with_map:
            self.give_map()
        self.smtpd, self.login = self.peer(SMTPD), self.peer(LOGIN)
        send(self.master, GO)
        self.ready = receive(self.master)[0] == READY

    def give_map(self):
        send_files(self.master, MAP, span("credentials"),
                   os.path.join(top, "credentials.cdb"))

    def peer(self, role):
        return send_peer(self.master, role)

    def logged(self):
        return written(self.log)

    def end(self):
        send(self.master, STOP)
        status = self.process.wait(PATIENCE)
        self.master.close()
        return status


def question(name, password, service="smtp", remote="192.0.2.1", authzid="",
             more=b"", tag=""):
    return b"".join(span(x) for x in (service, authzid, name, password,
                                      remote, "sid1", more, tag))


def ask(a, name, password, ident=7, **kw):
    send(a.smtpd, AUTH, question(name, password, **kw), None, ident)
    return answer(a.smtpd, ident)


def answer(sock, ident=7, wait=PATIENCE):
    kind, got, body, _ = receive(sock, wait)
    if kind != AUTH_IS or got != ident:
        return kind
    verdict, n = struct.unpack(">II", body[:8])
    return verdict, body[8:8 + n].decode()


compile_map("ann %s\nbob@example.org !\n" % HASH)
a = Auth()
t.ok(a.ready, "it starts and says that it is ready", a.logged())
t.same(ask(a, "ann@example.org", "secret"), (OK, "ann@example.org"),
       "a right password")
t.same(ask(a, "ann", "secret"), (OK, "ann@example.org"),
       "the local part alone gets the default domain")
t.same(ask(a, "ANN@Example.Org", "secret"), (OK, "ann@example.org"),
       "case does not matter")
t.same(ask(a, "ann", "secret", authzid="ann"), (OK, "ann@example.org"),
       "acting for oneself")
t.same(ask(a, "ann", "secret", authzid="bob"), (BAD, ""),
       "acting for another is refused")
t.same(ask(a, "ann", "secret"), (OK, "ann@example.org"),
       "which makes nobody's password wrong")
t.same(ask(a, "ann", "wrong"), (BAD, ""), "a wrong password")
t.same(ask(a, "nobody", "secret", remote="192.0.2.2"), (BAD, ""),
       "an unknown name: the same words")
t.same(ask(a, "bob", "!", remote="192.0.2.2"), (BAD, ""),
       "an account that cannot log in")
t.same(ask(a, b"ann\0x", "secret", remote="192.0.2.3"), (BAD, ""),
       "a name with a NUL byte")
t.same(ask(a, "ann", b"secret\0", remote="192.0.2.3"), (BAD, ""),
       "a password with a NUL byte")
t.same(ask(a, "", "secret", remote="192.0.2.3"), (BAD, ""),
       "the empty name, which is the key of the dummy")
t.same(ask(a, "ann@example.org\n", "secret", remote="192.0.2.3"), (BAD, ""),
       "a name with a line end")
t.ok("secret" not in a.logged() and "wrong" not in
     a.logged().replace("wrong password", ""), "no password is in the log")

# Sessions
ours, client = socket.socketpair()
send(a.login, AUTH, question("ann", "secret", "pop3", more=b"STAT\r\n"),
     client.fileno(), 9)
kind, ident, body, fd = receive(a.master)
t.same(kind, SESSION, "for pop3, master is asked for a session")
want = u32(POP3D) + u64(os.getuid() or 64000)
t.same(body[:12], want, "of that service and that owner")
t.ok(b"ann/Maildir" in body and b"STAT\r\n" in body,
     "with the mailbox, and what the client said already")
os.write(fd, b"+OK")
t.same(ours.recv(3), b"+OK", "and the client's own descriptor")
t.same(answer(a.login, 9, 0.2), "silent", "login waits for master")
send(a.master, SESSION_IS, u32(0) + span(""), None, ident)
t.same(answer(a.login, 9), (OK, "ann@example.org"), "then hears yes")
send(a.login, AUTH, question("ann", "secret", "pop3"), client.fileno(), 10)
_, ident, _, _ = receive(a.master)
send(a.master, SESSION_IS, u32(0) + span("no process"), None, ident)
t.same(answer(a.login, 10), (LATER, ""), "or that master could not")
send(a.login, AUTH, question("ann", "secret", "imap", tag="a1"),
     client.fileno(), 12)
_, ident, body, _ = receive(a.master)
t.ok(body.endswith(span("a1")), "an IMAP session is told its tag")
send(a.master, SESSION_IS, u32(1) + span("too many sessions"), None, ident)
t.same(answer(a.login, 12), (FULL, ""), "or that there are too many")
send(a.master, SESSION_IS, u32(0) + span(""), None, ident)
send(a.login, AUTH, question("ann", "no", "pop3", remote="192.0.2.9"),
     client.fileno(), 11)
t.same(answer(a.login, 11), (BAD, ""), "an answer to nobody does no harm")
t.same(receive(a.master, 0.2)[0], "silent",
       "master is asked nothing after a wrong password")

# Whoever breaks the rules is cut off, alone.
t.same(a.smtpd.send(struct.pack(">HI", AUTH, 1) + b"junk"), 10, "junk")
t.same(receive(a.smtpd)[0], None, "ends the peer who sent it")
a.smtpd = a.peer(SMTPD)
send(a.smtpd, AUTH, question("ann", "secret", "pop3"), client.fileno())
t.same(receive(a.smtpd)[0], None, "so does smtpd asking for a session")
a.smtpd = a.peer(SMTPD)
send(a.login, AUTH, question("ann", "secret", "smtp"))
t.same(receive(a.login)[0], None, "and login asking as smtpd")
a.login = a.peer(LOGIN)
t.same(ask(a, "ann", "secret"), (OK, "ann@example.org"),
       "the others are served on")

# Too many different passwords; the same again is no guess.
a.end()
a = Auth()
for i in range(10):
    ask(a, "ann", "old password", remote="198.51.100.1")
t.same(ask(a, "ann", "secret", remote="198.51.100.1"), (OK,
       "ann@example.org"), "an old password ten times locks nobody out")
def cpu(pid):
    """seconds, by the scheduler's own clock"""
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1e9


if os.path.exists("/proc/self/schedstat"):
    first = cpu(a.process.pid)
    ask(a, "ann", "new wrong", remote="192.0.2.77")
    once = cpu(a.process.pid) - first
    for i in range(100):
        ask(a, "ann", "new wrong", remote="192.0.2.77")
    more = cpu(a.process.pid) - first - once
    t.ok(more < 50 * once, "a wrong password said again costs no hash",
         "%f s, then %f s for a hundred" % (once, more))
for i in range(5):
    ask(a, "carl%d" % i, "x", remote="198.51.100.2")
t.same(ask(a, "ann", "secret", remote="198.51.100.2")[0], LIMITED,
       "a network that guesses must wait")
t.same(ask(a, "nobody", "x", remote="198.51.100.2")[0], LIMITED,
       "whatever the name")
for i in range(5):
    ask(a, "ann", "guess%d" % i, remote="203.0.113.%d" % i)
t.same(ask(a, "ann", "secret", remote="203.0.113.77")[0], LIMITED,
       "an account that is guessed from many places must wait")
t.same(ask(a, "ann", "secret", remote="198.51.100.1"), (OK,
       "ann@example.org"), "but not where its owner has logged in before")

# A new map
compile_map("ann %s\ncarl %s\n" % (HASH, HASH))
t.same(ask(a, "carl", "secret", remote="192.0.2.44")[0], BAD, "not yet there")
a.give_map()
# It comes by another channel than the question, which may be seen first.
for i in range(100):
    got = ask(a, "carl", "secret", remote="192.0.2.44")
    if got[0] == OK:
        break
    time.sleep(0.05)
t.same(got, (OK, "carl@example.org"), "a new map serves at once")
bad = os.memfd_create("bad")
os.write(bad, b"x" * 5000)
send(a.master, MAP, span("credentials"), bad)
t.same(ask(a, "carl", "secret", remote="192.0.2.44")[0], OK,
       "a damaged one does not replace it")
t.same(a.end(), 0, "it stops when told")

# Failures wait, others do not.
a = Auth(auth_delay="4s")
start = time.monotonic()
send(a.smtpd, AUTH, question("ann", "wrong"), None, 1)
send(a.smtpd, AUTH, question("ann", "secret"), None, 2)
t.same(answer(a.smtpd, 2), (OK, "ann@example.org"),
       "a right password is answered while a wrong one waits")
t.same(answer(a.smtpd, 1), (BAD, ""), "then the wrong one")
t.ok(time.monotonic() - start >= 3.9, "after its delay")
send(a.smtpd, AUTH, question("ann", "wrong2"), None, 3)
a.end()
t.same(answer(a.smtpd, 3), (BAD, ""), "a stop answers those who wait")

a = Auth(with_map=False)
t.same(ask(a, "ann", "secret"), (LATER, ""), "without a map: later")
t.same(a.end(), 0, "and it ends")
shutil.rmtree(top)
t.done()
