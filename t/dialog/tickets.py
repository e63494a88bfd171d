"""Keys for TLS session tickets, as master renews them while smtpd and login
serve: a session is taken up again with one of the last three, and by another
process that has them."""
import os
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import PATIENCE, Tap
from house import House
from wire import TICKETS, send, span

t = Tap()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def becomes(condition):
    """What master said is heard soon, not at once."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def keys(newest):
    return span(b''.join(bytes([newest - i]) * 80 for i in range(3)))


class Server(House):
    def begin(self, newest):
        self.prepare()
        self.start()
        self.renew(newest)
        return self

    def renew(self, newest):
        send(self.master, TICKETS, keys(newest))

    def meet(self, session=None):
        """Its session, and whether it is the old one."""
        service = 'submissions' if self.program == 'smtpd' else 'imaps'
        s = context.wrap_socket(self.connect(service), session=session,
                                server_hostname='localhost')
        s.recv(1000)  # the greeting; the ticket comes before it
        got = s.session, s.session_reused
        s.sendall(b'QUIT\r\n' if self.program == 'smtpd' else b'a LOGOUT\r\n')
        while s.recv(1000):
            pass
        s.close()
        return got

    def knows(self, session):
        return self.meet(session)[1]


for program in ('smtpd', 'login'):
    with Server(program) as one, Server(program) as other:
        one.begin(10)
        other.begin(10)
        t.ok(becomes(lambda: other.knows(one.meet()[0])),
             '%s: another process takes it up' % program)
        session = one.meet()[0]
        other.renew(12)
        t.ok(one.knows(session) and other.knows(session),
             'so it does when there are newer keys')
        other.renew(13)
        t.ok(becomes(lambda: not other.knows(session)),
             'not when there have been three')
        t.ok(one.knows(session), 'the first one does')
        one.renew(20)
        t.ok(becomes(lambda: not one.knows(session)), 'until it hears of it')
t.done()
