#!/bin/sh
# Every file of a corpus of odd messages (POSTERN_CORPUS: a directory) goes in
# over SMTP and comes back over POP3, byte by byte as it was sent, but for the
# trace headers in front.
. "$(dirname "$0")/../lib.sh"
need python3
[ -d "${POSTERN_CORPUS:-}" ] || skip_all "POSTERN_CORPUS is not set"
instance_start --users 1

cat >"$T/roundtrip.py" <<'X'
import os, poplib, re, smtplib, sys, time
smtp_port, pop_port, user, password, corpus = sys.argv[1:]
TRACE = (b"return-path:", b"delivered-to:", b"received:")

def wire(data):
    # What can be sent at all: lines that end in CR LF, no NUL.
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    return data

sent = {}
refused = skipped = 0
files = sorted(f for f in os.listdir(corpus) if f.endswith(".eml"))
for f in files:
    data = wire(open(os.path.join(corpus, f), "rb").read())
    if b"\0" in data:
        skipped += 1
        continue
    s = smtplib.SMTP("127.0.0.1", int(smtp_port), timeout=300,
                     local_hostname="client.test")
    s.ehlo()
    s.mail("a@client.test", ["BODY=8BITMIME"])
    s.rcpt(user)
    s.putcmd("data")
    s.getreply()
    stuffed = re.sub(rb"(?m)^\.", b"..", data)
    s.send(stuffed + b".\r\n")
    code, text = s.getreply()
    if code == 250:
        sent[text.decode().split()[-1]] = (f, data)
    else:
        refused += 1
        print("# %s: %d %s" % (f, code, text.decode()))
    s.quit()

deadline = time.monotonic() + 300
while True:
    p = poplib.POP3("127.0.0.1", int(pop_port), timeout=300)
    p.user(user)
    p.pass_(password)
    n = p.stat()[0]
    if n >= len(sent) or time.monotonic() > deadline:
        break
    p.quit()
    time.sleep(0.2)
poplib._MAXLINE = 1 << 24
back = []
for i in range(1, n + 1):
    p._putcmd("RETR %d" % i)
    p._getresp()
    data = b""
    while True:
        line = p.file.readline()
        if line == b".\r\n":
            break
        data += line[1:] if line.startswith(b".") else line
    back.append(data)
p.quit()

def strip(data):
    """The message without the headers we put in front."""
    while True:
        first, _, rest = data.partition(b"\r\n")
        name = first.lower()
        if strip.left and name.startswith(strip.left):
            kind = [t for t in strip.left if name.startswith(t)][0]
            strip.left = tuple(t for t in strip.left if t != kind)
            data = rest
            while data[:1] in (b" ", b"\t"):
                data = data.partition(b"\r\n")[2]
        else:
            return data

stripped = {}
for b in back:
    strip.left = TRACE
    s = strip(b)
    stripped[s] = stripped.get(s, 0) + 1
bad = 0
for f, data in sent.values():
    if stripped.get(data, 0) == 0:
        bad += 1
        print("# not byte-identical: %s" % f)
    else:
        stripped[data] -= 1
print("# %d files: %d sent, %d came back, %d differ, %d refused, %d with NUL"
      % (len(files), len(sent), n, bad, refused, skipped))
sys.exit(1 if bad or n != len(sent) or refused else 0)
X
python3 "$T/roundtrip.py" "$SMTP_PORT" "$POP3_PORT" "$USER1" "$PASS1" \
    "$POSTERN_CORPUS" >"$T/result" 2>&1
is "all come back as they were sent" $? 0
note <"$T/result"
finish
