"""imap: a small and strict IMAP client for tests.

Every byte of every response is held against the grammar of RFC 3501 9 (and of
4315, 4731, 5161, 6851, 7162, 9051 where they add responses); what does not fit
raises Bad. A selected folder is followed as RFC 3501 7 wants a client to: EXISTS
never shrinks, EXPUNGE comes only where it may, a number keeps its UID while a
command runs, UIDs ascend.

    c = Client(port)
    c.login(user, password)
    c.select('INBOX')
    r = c('UID FETCH 1:* (FLAGS BODY.PEEK[])')     # Result; raises No
    c('APPEND INBOX (\\Seen) ', Literal(b'...'))
    r.fetched[seq]['FLAGS'], r.code, r.data
"""
import os
import re
import socket
import ssl
import subprocess

from child import PATIENCE, SAN, TOP

LINE_MAX = 1 << 20
SP, CR, LF = b' \r\n'
ATOM = frozenset(range(0x21, 0x7f)) - frozenset(b'(){%*"\\]')
TAG = ATOM - frozenset(b'+') | frozenset(b']')
ASTRING = ATOM | frozenset(b']')
TEXT = frozenset(range(1, 128)) - frozenset(b'\r\n')
MONTHS = b'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
DATE_TIME = re.compile(rb'[ 0-3]\d-(%s)-\d{4} \d\d:\d\d:\d\d [+-]\d{4}' %
                       b'|'.join(MONTHS))
SELECTABLE = {b'\\NOSELECT', b'\\MARKED', b'\\UNMARKED', b'\\NONEXISTENT'}


class Bad(Exception):
    """The server broke a rule."""


class No(Exception):
    """It said NO or BAD."""

    def __init__(self, result):
        super().__init__('%s %s' % (result.status, result.text))
        self.result = result


class Literal:
    def __init__(self, data):
        self.data = data


class Cursor:
    """One response; literals are where their {n} was."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bad(self, why):
        raise Bad('%s at %d in %r' % (why, self.at, self.data[:2000]))

    def peek(self, n=1):
        return self.data[self.at:self.at + n]

    def eat(self, text):
        got = self.peek(len(text))
        if got.upper() != text.upper():
            self.bad('%r wanted' % text)
        self.at += len(text)

    def try_eat(self, text):
        if self.peek(len(text)).upper() != text.upper():
            return False
        self.at += len(text)
        return True

    def end(self):
        self.eat(b'\r\n')
        if self.at != len(self.data):
            self.bad('more after the end')

    def run(self, chars, what):
        start = self.at
        while self.at < len(self.data) and self.data[self.at] in chars:
            self.at += 1
        if start == self.at:
            self.bad(what + ' wanted')
        return self.data[start:self.at]

    def atom(self):
        return self.run(ATOM, 'an atom')

    def number(self, least=0, most=0xffffffff):
        digits = self.run(b'0123456789', 'a number')
        if len(digits) > 1 and digits[:1] == b'0':
            self.bad('a zero before a number')
        n = int(digits)
        if not least <= n <= most:
            self.bad('a number out of range')
        return n

    def number64(self, least=0):
        return self.number(least, (1 << 63) - 1)

    def quoted(self):
        self.eat(b'"')
        out = bytearray()
        while True:
            c = self.peek()
            self.at += 1
            if c == b'"':
                return bytes(out)
            if c == b'\\':
                c = self.peek()
                self.at += 1
                if c not in (b'"', b'\\'):
                    self.bad('quoted what needs no quoting')
            if not c or c[0] not in TEXT:
                self.bad('not in a quoted string')
            out += c

    def literal(self):
        self.eat(b'{')
        n = self.number()
        self.eat(b'}\r\n')
        got = self.peek(n)
        if len(got) != n:
            self.bad('a short literal')
        if b'\0' in got:
            self.bad('NUL in a literal')
        self.at += n
        return got

    def string(self):
        if self.peek() == b'{':
            return self.literal()
        return self.quoted()

    def nil(self):
        return self.try_eat(b'NIL')

    def nstring(self):
        return None if self.nil() else self.string()

    def astring(self):
        if self.peek() in (b'"', b'{'):
            return self.string()
        return self.run(ASTRING, 'an astring')

    def mailbox(self):
        name = self.astring()
        if any(c > 126 or c < 32 for c in name):
            self.bad('a mailbox name of other than printable ASCII')
        return b'INBOX' if name.upper() == b'INBOX' else name

    def flag(self, star=False):
        if self.try_eat(b'\\'):
            if star and self.try_eat(b'*'):
                return b'\\*'
            return b'\\' + self.atom()
        return self.atom()

    def listed(self, item, empty=True):
        """( item item ... )"""
        self.eat(b'(')
        got = []
        if empty and self.try_eat(b')'):
            return got
        while True:
            got.append(item())
            if self.try_eat(b')'):
                return got
            self.eat(b' ')

    def flags(self, star=False):
        got = self.listed(lambda: self.flag(star))
        if len({f.lower() for f in got}) != len(got):
            self.bad('a flag twice')
        return got

    def uid_set(self):
        """RFC 4315: no *; in the order it is written."""
        out = []
        while True:
            a = b = self.number(1)
            if self.try_eat(b':'):
                b = self.number(1)
            out += range(a, b + 1) if a <= b else range(a, b - 1, -1)
            if not self.try_eat(b','):
                return out

    def text(self):
        return self.run(TEXT, 'text')

    # --- FETCH

    def address(self):
        self.eat(b'(')
        got = []
        for i in range(4):
            if i:
                self.eat(b' ')
            got.append(self.nstring())
        self.eat(b')')
        return tuple(got)

    def addresses(self):
        if self.nil():
            return None
        self.eat(b'(')
        got = [self.address()]
        while not self.try_eat(b')'):
            got.append(self.address())
        return got

    def envelope(self):
        self.eat(b'(')
        got = []
        for i in range(10):
            if i:
                self.eat(b' ')
            got.append(self.addresses() if 2 <= i <= 7 else self.nstring())
        self.eat(b')')
        return got

    def parameters(self):
        if self.nil():
            return None
        got = self.listed(self.string, False)
        if len(got) % 2:
            self.bad('a parameter without a value')
        return got

    def disposition(self):
        if self.nil():
            return None
        self.eat(b'(')
        kind = self.string()
        self.eat(b' ')
        got = kind, self.parameters()
        self.eat(b')')
        return got

    def language(self):
        if self.peek() == b'(':
            return self.listed(self.string, False)
        return self.nstring()

    def extension(self):
        if self.peek() == b'(':
            return self.listed(self.extension, False)
        if self.peek().isdigit():
            return self.number()
        return self.nstring()

    def extensions(self, first, whole):
        """Optional, in this order, then anything."""
        got = []
        steps = first + [self.disposition, self.language, self.nstring]
        while self.peek() == b' ':
            if not whole:
                self.bad('extension data in BODY')
            self.eat(b' ')
            step = steps.pop(0) if steps else self.extension
            got.append(step())
        return got

    def body(self, whole, depth=0):
        """BODY, or BODYSTRUCTURE (whole), as nested tuples."""
        self.eat(b'(')
        if self.peek() == b'(':
            got = self.multipart(whole, depth)
        else:
            got = self.one_part(whole, depth)
        self.eat(b')')
        return got

    def multipart(self, whole, depth):
        parts = []
        while self.peek() == b'(':
            parts.append(self.body(whole, depth + 1))
        self.eat(b' ')
        subtype = self.string()
        return ('MULTIPART', subtype, parts,
                self.extensions([self.parameters], whole))

    def one_part(self, whole, depth):
        kind = self.string()
        self.eat(b' ')
        subtype = self.string()
        self.eat(b' ')
        fields = [self.parameters()]
        for item in (self.nstring, self.nstring, self.string, self.number):
            self.eat(b' ')
            fields.append(item())
        both = kind.upper(), subtype.upper()
        more = []
        if both == (b'MESSAGE', b'RFC822'):
            self.eat(b' ')
            more.append(self.envelope())
            self.eat(b' ')
            more.append(self.body(whole, depth + 1))
        if kind.upper() == b'TEXT' or more:
            self.eat(b' ')
            more.append(self.number())
        return (kind, subtype, fields, more,
                self.extensions([self.nstring], whole))

    def section(self):
        """[...]<n>, as it is written."""
        start = self.at
        self.eat(b'[')
        if self.peek() != b']':
            while self.peek().isdigit():
                self.number(1)
                if not self.try_eat(b'.'):
                    break
            if self.peek().isalpha():
                word = self.run(frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZ.'
                                          b'abcdefghijklmnopqrstuvwxyz'),
                                'a section').upper()
                if word not in (b'HEADER', b'HEADER.FIELDS', b'TEXT', b'MIME',
                                b'HEADER.FIELDS.NOT'):
                    self.bad('no such section')
                if word.startswith(b'HEADER.FIELDS'):
                    self.eat(b' ')
                    self.listed(self.astring, False)
        self.eat(b']')
        if self.try_eat(b'<'):
            self.number()
            self.eat(b'>')
        return self.data[start:self.at].decode('latin-1')

    def attribute(self):
        name = self.run(frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789'
                                  b'abcdefghijklmnopqrstuvwxyz'),
                        'an attribute').upper().decode()
        if name == 'BODY' and self.peek() == b'[':
            name += self.section()
            self.eat(b' ')
            return name, self.nstring()
        self.eat(b' ')
        if name == 'FLAGS':
            return name, frozenset(f.decode() for f in self.flags())
        if name == 'UID':
            return name, self.number(1)
        if name == 'RFC822.SIZE':
            return name, self.number64()
        if name == 'INTERNALDATE':
            date = self.quoted()
            if not DATE_TIME.fullmatch(date):
                self.bad('not a date')
            return name, date.decode()
        if name == 'ENVELOPE':
            return name, self.envelope()
        if name in ('BODY', 'BODYSTRUCTURE'):
            return name, self.body(name != 'BODY')
        if name in ('RFC822', 'RFC822.HEADER', 'RFC822.TEXT'):
            return name, self.nstring()
        if name == 'MODSEQ':
            return name, self.listed(lambda: self.number64(1), False)[0]
        self.bad('an attribute nobody knows: ' + name)

    def attributes(self):
        got = {}
        for name, value in self.listed(self.attribute, False):
            if name in got:
                self.bad(name + ' twice')
            got[name] = value
        return got

    # --- responses

    def capabilities(self):
        got = []
        while self.try_eat(b' '):
            got.append(self.atom().upper().decode())
        if 'IMAP4REV1' not in got:
            self.bad('IMAP4rev1 is missing')
        return got

    def code(self):
        """Inside [ ]; (NAME, value)."""
        name = self.atom().upper().decode()
        value = None
        if name == 'CAPABILITY':
            value = self.capabilities()
        elif name in ('UIDNEXT', 'UIDVALIDITY', 'UNSEEN'):
            self.eat(b' ')
            value = self.number(1)
        elif name == 'HIGHESTMODSEQ':
            self.eat(b' ')
            value = self.number64(1)
        elif name == 'PERMANENTFLAGS':
            self.eat(b' ')
            value = [f.decode() for f in self.flags(True)]
        elif name == 'APPENDUID':
            self.eat(b' ')
            validity = self.number(1)
            self.eat(b' ')
            value = validity, self.uid_set()
        elif name == 'COPYUID':
            self.eat(b' ')
            validity = self.number(1)
            self.eat(b' ')
            a = self.uid_set()
            self.eat(b' ')
            value = validity, a, self.uid_set()
            if len(value[1]) != len(value[2]):
                self.bad('COPYUID with sets of two sizes')
        elif name == 'BADCHARSET':
            if self.try_eat(b' '):
                value = self.listed(self.astring, False)
        elif self.try_eat(b' '):
            value = self.run(TEXT - frozenset(b']'), 'text of a code')
        self.eat(b']')
        return name, value

    def resp_text(self):
        """((NAME, value) or None, text)"""
        code = None
        if self.try_eat(b'['):
            code = self.code()
            self.eat(b' ')
        return code, self.text().decode('latin-1')

    def listing(self):
        flags = [f.upper() for f in self.flags()]
        if len(SELECTABLE & set(flags)) > 1:
            self.bad('more than one of ' + repr(SELECTABLE))
        if {b'\\HASCHILDREN', b'\\HASNOCHILDREN'} <= set(flags):
            self.bad('children, and none')
        self.eat(b' ')
        if not self.nil():
            if len(self.quoted()) != 1:
                self.bad('a separator of one character wanted')
        self.eat(b' ')
        name = self.mailbox()
        if self.try_eat(b' '):
            self.listed(self.extended, True)
        return name.decode(), {f.decode() for f in flags}

    def extended(self):
        self.astring()
        self.eat(b' ')
        return self.extension()

    def status(self):
        name = self.mailbox().decode()
        self.eat(b' ')

        def item():
            key = self.atom().upper().decode()
            self.eat(b' ')
            return key, self.number64()
        items = self.listed(item)
        if len(dict(items)) != len(items):
            self.bad('an item twice')
        return name, dict(items)

    def search(self):
        got = []
        while self.peek() == b' ':
            self.eat(b' ')
            if self.peek() == b'(':
                self.eat(b'(MODSEQ ')
                self.number64(1)
                self.eat(b')')
                break
            got.append(self.number(1))
        return got

    def esearch(self):
        got = {}
        if self.try_eat(b' ('):
            self.eat(b'TAG ')
            got['TAG'] = self.string().decode()
            self.eat(b')')
        if self.try_eat(b' UID'):
            got['UID'] = True
        while self.try_eat(b' '):
            key = self.atom().upper().decode()
            self.eat(b' ')
            if key in got:
                self.bad(key + ' twice')
            got[key] = (self.uid_set() if key == 'ALL' else
                        self.number64(0 if key == 'COUNT' else 1))
        return got

    def namespace(self):
        def one():
            if self.nil():
                return None
            self.eat(b'(')
            out = []
            while not self.try_eat(b')'):
                self.eat(b'(')
                prefix = self.string()
                self.eat(b' ')
                out.append((prefix, None if self.nil() else self.quoted()))
                while self.try_eat(b' '):
                    self.string()
                    self.eat(b' ')
                    self.listed(self.string, False)
                self.eat(b')')
            if not out:
                self.bad('an empty namespace')
            return out
        got = []
        for _ in range(3):
            self.eat(b' ')
            got.append(one())
        return got

    def untagged(self):
        """(KIND, value)"""
        if self.peek().isdigit():
            n = self.number()
            self.eat(b' ')
            kind = self.atom().upper().decode()
            if kind in ('EXISTS', 'RECENT'):
                return kind, n
            if n == 0:
                self.bad('message 0')
            if kind == 'EXPUNGE':
                return kind, n
            if kind == 'FETCH':
                self.eat(b' ')
                return kind, (n, self.attributes())
            self.bad('what?')
        kind = self.atom().upper().decode()
        if kind in ('OK', 'NO', 'BAD', 'BYE', 'PREAUTH'):
            self.eat(b' ')
            return kind, self.resp_text()
        if kind == 'CAPABILITY':
            return kind, self.capabilities()
        if kind == 'SEARCH':
            return kind, self.search()
        if kind == 'ESEARCH':
            return kind, self.esearch()
        if kind == 'NAMESPACE':
            return kind, self.namespace()
        if kind == 'ENABLED':
            got = []
            while self.try_eat(b' '):
                got.append(self.atom().upper().decode())
            return kind, got
        self.eat(b' ')
        if kind == 'FLAGS':
            return kind, [f.decode() for f in self.flags()]
        if kind in ('LIST', 'LSUB'):
            return kind, self.listing()
        if kind == 'STATUS':
            return kind, self.status()
        if kind == 'ID':
            return kind, (None if self.nil() else
                          self.listed(self.nstring, False))
        if kind == 'VANISHED':
            early = self.try_eat(b'(EARLIER) ')
            return kind, (early, self.uid_set())
        self.bad('what?')


class Result:
    def __init__(self, status, code, text, data):
        self.status, self.text, self.data = status, text, data
        self.code = code or (None, None)

    def all(self, kind):
        return [v for k, v in self.data if k == kind]

    def one(self, kind):
        got = self.all(kind)
        if len(got) != 1:
            raise Bad('%d of %s' % (len(got), kind))
        return got[0]

    def codes(self):
        """Of the tagged and of the untagged OK, NO, BAD."""
        got = {c[0][0]: c[0][1] for k, c in self.data
               if k in ('OK', 'NO', 'BAD') and c[0]}
        if self.code[0]:
            got[self.code[0]] = self.code[1]
        return got

    @property
    def fetched(self):
        """{number: attributes}, of all responses about it; behind an
        EXPUNGE numbers mean others"""
        got = {}
        for kind, value in self.data:
            if kind == 'EXPUNGE':
                break
            if kind == 'FETCH':
                got.setdefault(value[0], {}).update(value[1])
        return got


class View:
    """A selected folder, as the client must see it by now."""

    def __init__(self, name, read_only):
        self.name, self.read_only = name, read_only
        self.uids = []      # of the numbers 1 ...; None: not yet known
        self.flags = {}     # by UID; what we were told last
        self.validity = self.next = None
        self.recent = 0
        self.started = False

    def on_exists(self, n):
        if self.started and n < len(self.uids):
            raise Bad('EXISTS fell from %d to %d' % (len(self.uids), n))
        self.uids += [None] * (n - len(self.uids))
        self.started = True

    def on_expunge(self, n):
        if n > len(self.uids):
            raise Bad('EXPUNGE %d of %d' % (n, len(self.uids)))
        self.flags.pop(self.uids.pop(n - 1), None)

    def on_fetch(self, n, got):
        if n > len(self.uids):
            raise Bad('FETCH %d of %d' % (n, len(self.uids)))
        if 'UID' in got:
            self.learn(n, got['UID'])
        uid = self.uids[n - 1]
        if 'FLAGS' in got and uid is not None:
            self.flags[uid] = got['FLAGS']

    def learn(self, n, uid):
        old = self.uids[n - 1]
        if old is not None and old != uid:
            raise Bad('number %d was UID %d, is %d' % (n, old, uid))
        if old == uid:
            return
        below = [u for u in self.uids[:n - 1] if u is not None]
        above = [u for u in self.uids[n:] if u is not None]
        if below and below[-1] >= uid or above and above[0] <= uid:
            raise Bad('UID %d of number %d is out of order' % (uid, n))
        self.uids[n - 1] = uid


class Client:
    def __init__(self, port, host='127.0.0.1', tls=None, log=None, name=''):
        self.sock = socket.create_connection((host, port), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.starttls(tls)
        self.log = log if log is not None else []
        self.name = name    # in the log
        self.buffer = b''
        self.tags = 0
        self.view = None
        self.running = None  # the verb of the command under way
        self.bye = False
        self.capable = set()
        kind, (code, _) = self.greeting()
        self.note_code(code)

    def starttls(self, ca):
        context = ssl.create_default_context(cafile=ca)
        self.sock = context.wrap_socket(self.sock, server_hostname='localhost')

    def greeting(self):
        c = Cursor(self.response())
        c.eat(b'* ')
        got = c.untagged()
        c.end()
        if got[0] not in ('OK', 'PREAUTH', 'BYE'):
            raise Bad('a greeting of %s' % got[0])
        if got[0] == 'BYE':
            raise No(Result('BYE', *got[1], []))
        return got

    def close(self):
        self.sock.close()

    # --- bytes

    def more(self):
        got = self.sock.recv(1 << 16)
        if not got:
            raise Bad('closed; left over: %r' % self.buffer[:200])
        self.buffer += got

    def line(self):
        start = 0
        while True:
            at = self.buffer.find(b'\n', start)
            if at != -1:
                break
            start = len(self.buffer)
            if start > LINE_MAX:
                raise Bad('a line without an end')
            self.more()
        line, self.buffer = self.buffer[:at + 1], self.buffer[at + 1:]
        if line[-2:] != b'\r\n' or b'\r' in line[:-2] or b'\0' in line:
            raise Bad('a line with a bare CR, a bare LF or NUL: %r' % line)
        if any(c > 127 for c in line):
            raise Bad('8 bits outside of a literal: %r' % line[:2000])
        return line

    def response(self):
        """With its literals."""
        whole = self.line()
        while True:
            m = re.search(rb'\{(\d+)\}\r\n\Z', whole)
            # Human text may end like this.
            if not m or re.match(rb'(\*|\S+) (OK|NO|BAD|BYE) ', whole, re.I):
                break
            n = int(m[1])
            while len(self.buffer) < n:
                self.more()
            whole += self.buffer[:n]
            self.buffer = self.buffer[n:]
            whole += self.line()
        self.note_line('S', whole)
        return whole

    def note_line(self, who, data):
        self.log.append('%s%s: %s' % (
            self.name, who, data[:400].decode('latin-1').rstrip()))

    def send(self, data):
        self.note_line('C', data)
        self.sock.sendall(data)

    # --- commands

    def __call__(self, *pieces):
        """Runs it; No unless OK."""
        r = self.run(*pieces)
        if r.status != 'OK':
            raise No(r)
        return r

    def run(self, *pieces):
        self.begin(*pieces)
        return self.finish()

    def begin(self, *pieces):
        """Sends it; finish() must follow. Literals wait for their +."""
        self.tags += 1
        self.tag = ('t%d' % self.tags).encode()
        words = pieces[0].split()
        self.running = words[0].upper()
        if self.running == 'UID':
            self.running += ' ' + words[1].upper()
        self.data = []
        out = self.tag + b' '
        for p in pieces:
            if not isinstance(p, Literal):
                out += p.encode() if isinstance(p, str) else p
                continue
            if 'LITERAL+' in self.capable:
                out += b'{%d+}\r\n' % len(p.data) + p.data
                continue
            self.send(out + b'{%d}\r\n' % len(p.data))
            refused = self.until_more()
            if refused:
                self.early = refused
                return
            out = p.data
        self.early = None
        self.send(out + b'\r\n')

    def until_more(self):
        """None when + came; the Result if the command is over."""
        while True:
            whole = self.response()
            if whole[:1] == b'+':
                return None
            r = self.take(whole)
            if r:
                return r

    def finish(self):
        r = self.early
        while r is None:
            whole = self.response()
            if whole[:1] == b'+':
                raise Bad('a + nobody asked for: %r' % whole)
            r = self.take(whole)
        self.running = None
        if r.code[0]:
            self.note_code(r.code)
        return r

    def take(self, whole):
        """Untagged: None. The end: a Result."""
        c = Cursor(whole)
        if c.try_eat(b'* '):
            kind, value = c.untagged()
            c.end()
            self.data.append((kind, value))
            self.note(kind, value)
            return None
        tag = c.run(TAG, 'a tag')
        if tag != self.tag:
            raise Bad('the tag %r for %r' % (tag, self.tag))
        c.eat(b' ')
        status = c.atom().upper().decode()
        if status not in ('OK', 'NO', 'BAD'):
            c.bad('OK, NO or BAD wanted')
        c.eat(b' ')
        code, text = c.resp_text()
        c.end()
        return Result(status, code, text, self.data)

    # RFC 3501 7.4.1
    NO_EXPUNGE = ('FETCH', 'STORE', 'SEARCH')

    def note(self, kind, value):
        v = self.view
        if kind == 'BYE':
            self.bye = True
        if kind in ('OK', 'NO', 'BAD') and value[0]:
            self.note_code(value[0])
        if kind == 'CAPABILITY':
            self.capable = set(value)
        if kind not in ('EXISTS', 'EXPUNGE', 'FETCH', 'RECENT'):
            return
        if v is None:
            raise Bad('%s without a selected folder' % kind)
        if kind == 'EXISTS':
            v.on_exists(value)
        elif kind == 'RECENT':
            v.recent = value
        elif kind == 'FETCH':
            v.on_fetch(*value)
        elif self.running in self.NO_EXPUNGE:
            raise Bad('EXPUNGE during ' + self.running)
        else:
            v.on_expunge(value)

    def note_code(self, code):
        if code is None:
            return
        if code[0] == 'CAPABILITY':
            self.capable = set(code[1])
        elif self.view and code[0] == 'UIDVALIDITY':
            self.view.validity = code[1]
        elif self.view and code[0] == 'UIDNEXT':
            self.view.next = code[1]

    # --- often used

    def login(self, user, password):
        self('LOGIN "%s" "%s"' % (user, password))
        if not self.capable:
            self('CAPABILITY')
        return self

    def select(self, name, verb='SELECT'):
        self.view = View(name, verb == 'EXAMINE')
        r = self.run('%s %s' % (verb, name))
        if r.status != 'OK':
            self.view = None
            raise No(r)
        codes = r.codes()
        for need in ('UIDVALIDITY', 'UIDNEXT', 'PERMANENTFLAGS'):
            if need not in codes:
                raise Bad('%s without %s' % (verb, need))
        r.one('FLAGS')
        for need in ('EXISTS', 'RECENT'): # what just comes may follow
            if not r.all(need):
                raise Bad('%s without %s' % (verb, need))
        want = 'READ-ONLY' if verb == 'EXAMINE' else 'READ-WRITE'
        if r.code[0] != want:
            raise Bad('%s says %s' % (verb, r.code[0]))
        self.learn()
        return r

    def unselect(self, verb='UNSELECT'):
        r = self(verb)
        self.view = None
        return r

    def learn(self):
        """UIDs and flags of all that are new."""
        v = self.view
        while None in v.uids:
            first = v.uids.index(None) + 1
            r = self('FETCH %d:%d (UID FLAGS)' % (first, len(v.uids)))
            if first not in r.fetched and None in v.uids:
                return False  # gone already; NOOP will tell
        return True

    def noop(self, verb='NOOP'):
        r = self(verb)
        if self.view:
            self.learn()
        return r

    def idle(self, until):
        """Until until() is true; False: it did not become so."""
        self.tags += 1
        self.tag = ('t%d' % self.tags).encode()
        self.data, self.running = [], 'IDLE'
        self.send(self.tag + b' IDLE\r\n')
        if self.until_more():
            raise Bad('IDLE is over at once')
        good = True
        while not until():
            try:
                r = self.take(self.response())
            except socket.timeout:
                good = False
                break
            if r:
                raise No(r)
        self.send(b'DONE\r\n')
        self.early = None
        r = self.finish()
        if r.status != 'OK':
            raise No(r)
        self.learn()
        return good

    def logout(self):
        r = self('LOGOUT')
        if not self.bye:
            raise Bad('LOGOUT without BYE')
        if self.sock.recv(1):
            raise Bad('more after LOGOUT')
        self.close()
        return r


def sequence(numbers):
    """1:3,5"""
    out = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ','.join('%d' % a if a == b else '%d:%d' % (a, b) for a, b in out)


class Server:
    """A private instance, or with IMAP_SERVER=dovecot that. env is its env."""

    def __init__(self, where, users=2, *options):
        self.dir = where
        self.theirs = os.environ.get('IMAP_SERVER') == 'dovecot'
        self.program = os.path.join(TOP, 't',
                                    'dovecot' if self.theirs else 'instance')
        more = [] if self.theirs else list(options)
        if not self.theirs and not os.path.exists(
                os.path.join(TOP, 'imapd', 'imapd' + SAN)):
            print('1..0 # SKIP no imapd yet')
            raise SystemExit(0)
        done = subprocess.run([self.program, 'start', where, '--users',
                               str(users)] + more, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise SystemExit('Bail out! it does not start: %s' %
                             done.stdout.decode('latin-1')[-2000:])
        self.env = {}
        with open(os.path.join(where, 'env'), encoding='utf-8') as f:
            for pair in re.findall(r"(\w+)=('[^']*'|\S*)", f.read()):
                self.env[pair[0]] = pair[1].strip("'")
        self.port = int(self.env['IMAP_PORT'])

    def user(self, n):
        return self.env['USER%d' % n], self.env['PASS%d' % n]

    def client(self, n=1, **kw):
        return Client(self.port, **kw).login(*self.user(n))

    def maildir(self, n=1):
        return os.path.join(self.env['MAILROOT'], self.env['DOMAIN'],
                            'user%03d' % n, 'Maildir')

    def log(self):
        with open(self.env['LOG'], encoding='latin-1') as f:
            return f.read()

    def stop(self):
        return subprocess.run([self.program, 'stop', self.dir],
                              stdout=subprocess.DEVNULL, check=False
                              ).returncode
