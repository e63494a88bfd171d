#!/usr/bin/env python3
"""dialog.py FILE.dlg: plays a protocol dialogue with one daemon, prints TAP.

t/dialog/PROGRAM/NAME.dlg is played with PROGRAM/PROGRAM, alone: this script
is its master, its queue and its auth (t/house.py). No root, no other daemon.

  # comment
  !set key=value        a setting; before the first line of talk
  !service NAME         smtp (default), submission, submissions, local;
                        pop3s (default of login), pop3, imap, imaps
  !early TEXT           connect and send TEXT before the daemon serves
  !queue CODE X.Y.Z TEXT, !queue silent     what the queue answers
  !spool CODE X.Y.Z TEXT                    what it answers to a large one
  !auth ok|bad|later|limited|full|silent         what auth answers to "secret"

  C: line               to the daemon, with CR LF; lines without an answer
                        between them go in one write
  B: bytes              as they are; \\r \\n \\t \\0 \\xHH \\\\
  R: COUNT bytes        COUNT times
  S: text               its next line begins with text
  S= text               is text
  S~ regex              matches
  S* code               its next whole reply, of any number of lines
  S! regex              no line of that last reply matches
  T: starttls           a handshake from here on
  N: service            a new connection, used from here on
  O: n                  back to connection n (the first is 1)
  E:                    end of file from the client (its writing side)
  X: closed             the daemon closes
  H: stop|drain|queue-gone|auth-gone|map-damaged      what master does
  M: from ADDRESS|rcpt A B..|flags N|inline|file      the queue's last message
  M= text               its body without our trace header, as B: writes it
  M~ regex              the whole body matches (re.S)
  M: none               the queue has got nothing
  A: authzid authcid password   what auth was asked last, as B: writes it
"""
import os
import re
import socket
import ssl
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import house  # noqa: E402
from child import PATIENCE  # noqa: E402



def unescape(text):
    def one(m):
        e = m.group(1)
        if e[0] == 'x':
            return chr(int(e[1:], 16))
        return {'r': '\r', 'n': '\n', 't': '\t', '0': '\0', '\\': '\\',
                's': ' '}[e]
    text = re.sub(r'\\(x[0-9a-fA-F]{2}|[rnt0s\\])', one, text)
    return text.encode('latin-1')


class Fail(Exception):
    pass


class Client:
    split = False  # every byte by itself (long texts in odd pieces)

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        if self.sock.family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inbuf = b''
        self.out = b''

    def flush(self):
        out, self.out = self.out, b''
        if out:
            try:
                piece = len(out)
                if self.split:
                    piece = 1 if len(out) < 3000 else 997
                for i in range(0, len(out), piece):
                    self.sock.sendall(out[i:i + piece])
            except OSError:
                pass  # the daemon hung up; what it said is still to be read

    def line(self):
        self.flush()
        while b'\n' not in self.inbuf:
            try:
                got = self.sock.recv(65536)
            except socket.timeout:
                raise Fail('no answer')
            except OSError as e:
                raise Fail('closed: %s' % e)
            if not got:
                raise Fail('closed; left over: %r' % self.inbuf)
            self.inbuf += got
        line, self.inbuf = self.inbuf.split(b'\n', 1)
        if not line.endswith(b'\r'):
            raise Fail('a line without CR: %r' % line)
        return line[:-1].decode('latin-1')

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == '-':
            lines.append(self.line())
        if len({l[:3] for l in lines}) != 1:
            raise Fail('codes differ: %r' % lines)
        return lines

    def closed(self):
        self.flush()
        try:
            got = self.inbuf or self.sock.recv(65536)
        except socket.timeout:
            raise Fail('not closed')
        except OSError:
            return
        if got:
            raise Fail('not closed, but %r' % got)

    def starttls(self, context):
        self.flush()
        if self.inbuf:
            raise Fail('plain text before the handshake: %r' % self.inbuf)
        self.sock = context.wrap_socket(self.sock,
                                        server_hostname='localhost')


class Dialog:
    def __init__(self, path):
        self.path = path
        self.program = os.path.basename(os.path.dirname(
            os.path.abspath(path)))
        self.early = None
        self.service = {'login': 'pop3s'}.get(self.program, 'smtp')
        self.clients = []
        self.now = None
        self.last = []
        self.count = self.failed = 0

    def connect(self, service):
        s = self.house.connect(service)
        self.now = Client(s)
        self.clients.append(self.now)
        if service in ('submissions', 'pop3s', 'imaps'):
            self.now.starttls(self.context())

    def context(self):
        return ssl.create_default_context(cafile=self.house.certificate())

    def option(self, text):
        word, _, rest = text.partition(' ')
        if word == 'set':
            key, _, value = rest.partition('=')
            self.house.settings[key] = value
        elif word == 'service':
            self.service = rest
        elif word == 'early':
            self.early = unescape(rest)
        elif word in ('queue', 'spool', 'auth'):
            setattr(self.house, word + '_says', rest.split(' ', 2))
        else:
            raise SystemExit('%s: unknown option %s' % (self.path, word))

    def start(self):
        self.house.prepare()
        if self.early is not None:
            self.connect(self.service)
            self.now.sock.sendall(self.early)
            self.house.start()
        else:
            self.house.start()
            self.connect(self.service)

    def message(self):
        if not self.house.messages:
            raise Fail('the queue has got nothing')
        return self.house.messages[-1]

    def check_message(self, rest):
        word, _, what = rest.partition(' ')
        if word == 'none':
            if self.house.messages:
                raise Fail('the queue has got %d' % len(self.house.messages))
            return
        m = self.message()
        got = {'from': m['from'], 'rcpt': ' '.join(m['rcpt']),
               'flags': str(m['flags']), 'login': m['login'],
               'protocol': m['protocol'],
               'inline': '', 'file': ''}.get(word)
        if word in ('inline', 'file') and m['how'] != word:
            raise Fail('it came %s' % m['how'])
        if got != what:
            raise Fail('%s is %r' % (word, got))

    def check_body(self, rest):
        head = re.match(rb'Received: [^\n]*\n(?:[ \t][^\n]*\n)*',
                        self.message()['body'])
        if not head:
            raise Fail('no Received')
        body = self.message()['body'][head.end():]
        if body != unescape(rest):
            raise Fail('body is %r' % body)

    def step(self, tag, rest):
        c = self.now
        if tag == 'C:':
            c.out += rest.encode('latin-1') + b'\r\n'
        elif tag == 'B:':
            c.out += unescape(rest)
        elif tag == 'R:':
            n, _, text = rest.partition(' ')
            c.out += unescape(text) * int(n)
        elif tag in ('S:', 'S=', 'S~'):
            line = c.line()
            good = (line.startswith(rest) if tag == 'S:' else
                    line == rest if tag == 'S=' else
                    re.search(rest, line) is not None)
            if not good:
                raise Fail('got %r' % line)
        elif tag == 'S*':
            self.last = c.reply()
            if not self.last[0].startswith(rest):
                raise Fail('got %r' % self.last)
        elif tag == 'S!':
            if any(re.search(rest, l) for l in self.last):
                raise Fail('got %r' % self.last)
        elif tag == 'T:':
            c.starttls(self.context())
        elif tag == 'N:':
            self.connect(rest or self.service)
        elif tag == 'O:':
            self.now = self.clients[int(rest) - 1]
        elif tag == 'E:':
            c.flush()
            c.sock.shutdown(socket.SHUT_WR)
        elif tag == 'X:':
            c.closed()
        elif tag == 'H:':
            c.flush()
            self.house.do(rest)
        elif tag == 'M:':
            self.check_message(rest)
        elif tag == 'M=':
            self.check_body(rest)
        elif tag == 'M~':
            if not re.search(rest.encode(), self.message()['body'], re.S):
                raise Fail('body is %r' % self.message()['body'])
        elif tag == 'A:':
            want = [unescape(w) for w in rest.split(' ')]
            c.flush()
            until = time.monotonic() + PATIENCE
            while self.house.asked[-1:] != [want] and \
                    time.monotonic() < until:
                time.sleep(0.01)
            if self.house.asked[-1:] != [want]:
                raise Fail('asked %r' % self.house.asked[-1:])
        else:
            raise SystemExit('%s: unknown line %s' % (self.path, tag))

    def ok(self, good, name):
        self.count += 1
        self.failed += not good
        print('%sok %d - %s' % ('' if good else 'not ', self.count,
                                name.replace('#', '?')))

    def play(self, lines):
        started = False
        for number, line in enumerate(lines, 1):
            line = line.rstrip('\n')
            if not line or line.startswith('#'):
                continue
            if line.startswith('!'):
                self.option(line[1:])
                continue
            if not started:
                self.start()
                started = True
            tag, rest = line[:2], line[3:]
            try:
                self.step(tag, rest)
                if tag[0] in 'SXMA':
                    self.ok(True, '%d: %s' % (number, line))
            except Fail as e:
                self.ok(False, '%d: %s' % (number, line))
                print('# %s' % e)
                return

    def run(self):
        with house.House(self.program) as self.house:
            with open(self.path, encoding='utf-8') as f:
                self.play(f.readlines())
            for c in self.clients:
                c.sock.close()
            trouble = self.house.finish()
            self.ok(not trouble, 'the daemon ends well')
            for t in trouble:
                print('# %s' % t)
            if self.failed:
                for t in self.house.log_lines():
                    print('# log: %s' % t)
        print('1..%d' % self.count)
        return 1 if self.failed else 0


if __name__ == '__main__':
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(Dialog(sys.argv[1]).run())
