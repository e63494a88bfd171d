# impostor.py, run in place of auth or queue by t/e2e/master-believes-nobody:
# asks master for what must be refused, writes "ok" and "no" lines to a file.
import os
import socket
import sys

from child import PACKET, PATIENCE
from wire import (GO, POP3D, READY, SESSION, SESSION_IS, WORKER, WORKER_IS, send,
                  span, u32, u64)

role, out_path, mail_uid, mail_root, domain = sys.argv[:5]
mail_uid = int(mail_uid)
first_life = not os.path.exists(out_path + ".lives")
with open(out_path + ".lives", "a") as f:
    f.write("x")
lives = os.path.getsize(out_path + ".lives")
out = open(out_path, "a", buffering=1)
master = socket.socket(fileno=3)
maildir = mail_root + "/" + domain + "/user001/Maildir"


def say(good, *text):
    print("ok" if good else "no", *text, file=out)


kept = None  # or a list: descriptors that came, to hang on to


def take():
    """type, body; descriptors that ride along are closed, or kept"""
    packet, fds, _, _ = socket.recv_fds(master, PACKET, 4)
    for fd in fds:
        if kept is None:
            os.close(fd)
        else:
            kept.append(fd)
    if len(packet) < 6:
        sys.exit(0)
    return int.from_bytes(packet[:2], "big"), packet[6:]


def ask(kind, answer, body, fd):
    send(master, kind, body, fd)
    while True:
        got, text = take()
        if got == answer:
            return text[8 if kind == SESSION else 4:].decode(errors="replace")


def session(uid=mail_uid, gid=mail_uid, user="", root=mail_root, mailbox=maildir,
            service=POP3D, login="user001@" + domain):
    a, b = socket.socketpair()
    body = u32(service) + u64(uid) + u64(gid)
    for text in (user, root, mailbox, login, "192.0.2.1", "sid", "", ""):
        body += span(text)
    why = ask(SESSION, SESSION_IS, body, b.fileno())
    b.close()
    return why, a


def worker(uid=mail_uid, gid=mail_uid, user="", root=mail_root):
    body = u64(uid) + u64(gid) + span(user) + span(root)
    return ask(WORKER, WORKER_IS, body, None), None


BAD = [
    ("a process of root", dict(uid=0)),
    ("a process of group 0", dict(gid=0)),
    ("a process of smtpd's user", dict(uid=64001)),
    ("a process in auth's group", dict(gid=64003)),
    ("a process of queue's user", dict(uid=64005)),
    ("a process of a system user", dict(uid=2, gid=2)),
    ("root under the uid of mail", dict(user="root")),
    ("an account that there is not", dict(user="no-such-account")),
    ("a root with ..", dict(root=mail_root + "/../..")),
    ("a root with .", dict(root=mail_root + "/.")),
    ("the root /", dict(root="/")),
    ("a relative root", dict(root="mail")),
    ("an empty root", dict(root="")),
    ("a root with // in it", dict(root="/" + mail_root)),
]
BAD_SESSION = [
    ("a mailbox outside its root", dict(mailbox="/etc")),
    ("a mailbox with ..", dict(mailbox=mail_root + "/../../etc")),
    ("its root as a mailbox", dict(mailbox=mail_root)),
]
KIND = SESSION if role == "auth" else WORKER
JUNK = [
    ("uid -1", KIND, u64(2**32 - 1) * 2 + span("") * 2),
    ("uid 2^32, which might wrap to 0", KIND,
     u64(2**32) * 2 + span("") * 2),
    ("a message without a body", KIND, b""),
    ("a length beyond the end", KIND, b"\xff" * 40),
    ("a message of another's", WORKER if role == "auth" else SESSION, b""),
    ("a session of master", KIND, u32(0) + u64(mail_uid) * 2 +
     span("") * 8),
    ("a type that there is not", 999, b"x"),
    ("READY for the second time", READY, b""),
]


def requests():
    fn = session if role == "auth" else worker
    cases = BAD + (BAD_SESSION if role == "auth" else [])
    for what, fields in cases:
        why = fn(**fields)[0]
        say(why != "", what, "is refused:", why)
    why, end = fn()
    say(why == "", "what is right is granted", why)
    if end is not None:
        end.settimeout(PATIENCE)
        say(end.recv(3) == b"+OK", "and the session greets its client")
    else:
        hoard()


def hoard():
    global kept
    kept = []
    why = ""
    while why == "" and len(kept) < 100:
        why = worker()[0]
    say("of this owner" in why, "one owner's processes are bounded:", why)
    why = worker(root=mail_root + "/" + domain)[0]
    say(why == "", "which is no other owner's trouble", why)
    for fd in kept:
        os.close(fd)
    kept = None


def main():
    while take()[0] != GO:
        pass
    send(master, READY)
    if first_life:
        requests()
    if lives <= len(JUNK):
        what, kind, body = JUNK[lives - 1]
        fd = 1 if kind == SESSION and role == "auth" else None
        send(master, kind, body, fd)
        # The channel must end now; take() exits then.
        master.settimeout(PATIENCE)
        try:
            while True:
                packet = master.recv(PACKET)
                if packet == b"":
                    break
            say(True, what, "ends this process, and it comes again")
        except OSError as e:
            say(isinstance(e, ConnectionError), what, "ends it", repr(e))
        sys.exit(0)
    print("end", file=out)
    while True:
        take()


main()
