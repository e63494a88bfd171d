"""What we say of a message's form is what Dovecot says: RFC822.SIZE, ENVELOPE,
BODY and BODYSTRUCTURE of every message in t/corpus/mime and, if it is set, in
POSTERN_CORPUS. Where we mean to differ, the reason is written here.
"""
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
from child import SAN, TOP, Tap

IMAP = next((p for p in ('/usr/lib/dovecot/imap', '/usr/libexec/dovecot/imap',
                         '/usr/local/libexec/dovecot/imap')
             if os.path.exists(p)), None)
PRINT = os.path.join(TOP, 't', 'unit', 'structure_print' + SAN + '.t')
ITEMS = ('RFC822.SIZE', 'ENVELOPE', 'BODY', 'BODYSTRUCTURE')

# Why we mean to differ.
TEXT = 'a multipart without a part is text, so that it can be read'
HEADER = 'a body without a blank line before it is a body'
EPILOGUE = 'the line end before a delimiter is not of the part (RFC 2046 5.1.1)'
LIMIT = 'our limit is lower'
TYPE = 'an invalid type is text/plain (RFC 2045 5.2), or octets'
PARAM = 'more of a broken parameter is understood'
ADDRESS = 'more of a broken address is understood'
FIRST = 'the first of two fields counts'
LONG = 'a boundary is told by all of it, not by 80 characters'
LANGUAGE = 'a language is told'
RFC2231 = 'RFC 2231 pieces by the letter'
MEANT = {
    'address-specials': ADDRESS,
    'addresses': ADDRESS,
    'addresses-broken': ADDRESS,
    'addresses-empty-local': ADDRESS,
    'boundary-long': LONG,
    'boundary-unquoted': PARAM,
    'deep': LIMIT,
    'disposition-odd': LANGUAGE,
    'duplicates': FIRST,
    'encoding-odd': TYPE,
    'language-comments-boundary-blanks': LANGUAGE,
    'language-one': LANGUAGE,
    'many-params': LIMIT,
    'multipart-empty-boundary': TEXT,
    'multipart-no-blank': HEADER,
    'multipart-no-boundary': TEXT,
    'multipart-no-delimiter': TEXT,
    'multipart-nothing': TEXT,
    'multipart-only-close': TEXT,
    'multipart-part-no-blank': HEADER,
    'no-blank-line': HEADER,
    'nul': 'NUL is told as one byte 0x80',
    'rfc2231-extended': RFC2231,
    'rfc2231-gap': RFC2231,
    'rfc822-base64': HEADER,
    'rfc822-in-multipart': EPILOGUE,
    'type-double-semicolon': PARAM,
    'type-empty': TYPE,
    'type-invalid': TYPE,
    'type-invalid-2': TYPE,
    'type-invalid-3': TYPE,
    'type-no-semicolon': TYPE,
    'type-unclosed': PARAM,
    'type-unquoted': PARAM,
    # Of POSTERN_CORPUS.
    'mail-parser.malformed.002.eml': TEXT,
    'mail-parser.malformed.007.eml': TEXT,
    'mail-parser.malformed.016.eml': LONG,
    'mail-parser.malformed.019.eml': HEADER,
    'mail-parser.thirdparty.007.eml': EPILOGUE,
    'mailkit.message.28.eml': TYPE,
    'mimekit.mbox.issue1189.01.eml': HEADER,
    'mimekit.messages.empty-multipart.eml': TEXT,
    'mimekit.messages.feedback-report.eml': ADDRESS,
    'mimekit.messages.stack-overflow.eml': ADDRESS,
    'mox.message_message-rfc822-multipart.eml': EPILOGUE,
}

if IMAP is None:
    print('1..0 # SKIP Dovecot is not here')
    sys.exit(0)


class Reader:
    """Items of RFC 3501 9 into lists, bytes, numbers and None."""

    token = re.compile(rb'"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|([^\s()"{]+)', re.S)

    def __init__(self, data):
        self.data, self.at = data, 0

    def item(self):
        if self.data[self.at:self.at + 1] == b'(':
            self.at += 1
            out = []
            while self.data[self.at:self.at + 1] != b')':
                if self.data[self.at:self.at + 1] == b' ':
                    self.at += 1
                else:
                    out.append(self.item())
            self.at += 1
            return out
        m = self.token.match(self.data, self.at)
        self.at = m.end()
        if m.group(2) is not None:
            n = int(m.group(2))
            self.at += n
            return self.data[self.at - n:self.at]
        if m.group(1) is not None:
            return re.sub(rb'\\(.)', rb'\1', m.group(1), flags=re.S)
        word = m.group(3)
        if word.upper() == b'NIL':
            return None
        return int(word) if word.isdigit() else word.decode()


def answers(data):
    """{number: {item: value}} of all FETCH responses."""
    out = {}
    at = 0
    while True:
        m = re.compile(rb'(?m)^\* (\d+) FETCH ').search(data, at)
        if m is None:
            return out
        r = Reader(data)
        r.at = m.end()
        row = r.item()
        at = r.at
        out[int(m.group(1))] = dict(zip(row[::2], row[1::2]))


def dovecot(files):
    where = tempfile.mkdtemp(prefix='postern-t-')
    root = os.geteuid() == 0
    user = pwd.getpwnam('nobody') if root else pwd.getpwuid(os.geteuid())
    box = os.path.join(where, 'Maildir')
    for d in ('', 'cur', 'new', 'tmp'):
        os.mkdir(os.path.join(box, d))
    for i, f in enumerate(files):
        shutil.copy(f, os.path.join(box, 'cur', '%06d:2,' % (i + 1)))
    conf = os.path.join(where, 'dovecot.conf')
    with open(conf, 'w', encoding='ascii') as f:
        f.write('base_dir = %s/run\nlog_path = /dev/stderr\n'
                'mail_location = maildir:%s\nssl = no\nfirst_valid_uid = 1\n'
                'first_valid_gid = 1\nmail_uid = %d\nmail_gid = %d\n'
                'default_internal_user = %s\ndefault_login_user = %s\n' % (
                    where, box, user.pw_uid, user.pw_gid, user.pw_name,
                    user.pw_name))
    who = {}
    if root:
        for d, dirs, names in os.walk(where):
            for n in [d] + [os.path.join(d, x) for x in names]:
                os.chown(n, user.pw_uid, user.pw_gid)
        who = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    # Its input stays open until all is said: at the end of it Dovecot goes.
    try:
        with tempfile.TemporaryFile() as log, subprocess.Popen(
                [IMAP, '-c', conf], cwd='/', stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log,
                env={'USER': user.pw_name, 'HOME': where, 'PATH': '/usr/bin'},
                **who) as p:
            p.stdin.write(b'a SELECT INBOX\r\nb FETCH 1:* (%s)\r\n'
                          b'c LOGOUT\r\n' % ' '.join(ITEMS).encode())
            p.stdin.flush()
            said = p.stdout.read()
            p.stdin.close()
            p.wait()
            log.seek(0)
            return said, log.read()
    finally:
        shutil.rmtree(where, ignore_errors=True)


def plain(value):
    """Without what does not matter: case of words is looked at elsewhere,
    runs of blanks, Dovecot's words for what an address lacks."""
    if isinstance(value, list):
        return [plain(x) for x in value]
    if value in (b'MISSING_DOMAIN', b'MISSING_MAILBOX'):
        return b''
    if isinstance(value, bytes):
        return b' '.join(value.split())
    return value


def pairs(params):
    """Parameters in any order."""
    if not isinstance(params, list):
        return params
    return sorted((k.lower(), v.lower() if k.lower() == b'charset' else v)
                  for k, v in zip(params[::2], params[1::2]))


def body(b):
    """A body (RFC 3501 9) as a dictionary of what it says."""
    if not isinstance(b, list) or not b:
        return {'body': b}
    out = {}
    n = 0
    while n < len(b) and isinstance(b[n], list):
        out[str(n + 1)] = body(b[n])
        n += 1
    rest = b[n:]
    if n > 0:
        names = ['subtype', 'params']
    else:
        names = ['type', 'subtype', 'params', 'id', 'description', 'encoding',
                 'octets']
        kind = (rest[0] + b'/' + rest[1]).lower()
        if kind == b'message/rfc822':
            names += ['envelope', 'letter']
        if kind == b'message/rfc822' or kind.startswith(b'text/'):
            names += ['lines']
        names += ['md5']
    names += ['disposition', 'language', 'location', 'more']
    out.update(zip(names, rest))
    for k in ('type', 'subtype', 'encoding'):
        if k in out and out[k] is not None:
            out[k] = out[k].lower()
    if 'letter' in out:
        out['letter'] = body(out['letter'])
    out['params'] = pairs(out.get('params'))
    if isinstance(out.get('disposition'), list):
        out['disposition'] = [out['disposition'][0].lower(),
                              pairs(out['disposition'][1])]
    return out


def envelope(e):
    if not isinstance(e, list):
        return {'envelope': e}
    return dict(zip(('date', 'subject', 'from', 'sender', 'reply-to', 'to',
                     'cc', 'bcc', 'in-reply-to', 'message-id'), e))


def differ(a, b, where=''):
    """Where two answers differ: lines of text."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [line for k in sorted(set(a) | set(b))
                for line in differ(a.get(k), b.get(k), where + '/' + k)]
    if a == b:
        return []
    return ['%s: %r is %r there' % (where, a, b)]


def compare(ours, theirs):
    a, b = {}, {}
    for row, out in ((ours, a), (theirs, b)):
        row = plain([row.get(x) for x in ITEMS])
        out['size'] = row[0]
        out['envelope'] = envelope(row[1])
        out['body'] = body(row[2])
        out['bodystructure'] = body(row[3])
    return differ(a, b)


t = Tap()
files = []
for d in (os.path.join(TOP, 't', 'corpus', 'mime'),
          os.environ.get('POSTERN_CORPUS')):
    if d:
        files += [os.path.join(d, f) for f in sorted(os.listdir(d))
                  if d.endswith('mime') or f.endswith('.eml')]
stdout, stderr = dovecot(files)
theirs = answers(stdout)
p = subprocess.run([PRINT] + files, check=False, capture_output=True)
ours = answers(p.stdout)
t.ok(len(theirs) == len(files), 'Dovecot answers for each',
     stdout[-500:] + stderr)
t.ok(p.returncode == 0 and len(ours) == len(files), 'so do we', p.stderr)
for i, f in enumerate(files):
    name = os.path.basename(f)
    bad = compare(ours.get(i + 1, {}), theirs.get(i + 1, {}))
    if name in MEANT:
        t.ok(bad, name + ': differs, as meant: ' + MEANT[name])
    else:
        t.ok(not bad, name + ' is told as Dovecot tells it', '\n'.join(bad))
t.done()
