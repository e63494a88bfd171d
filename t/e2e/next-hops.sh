#!/bin/sh
# Mail leaves by the way that the transport map names: a host, an LMTP server
# on a socket, an error, nothing. A host that is down holds up nobody; what
# waits for it is seen, held, released, removed, and leaves when it is back.
. "$(dirname "$0")/../lib.sh"
need python3 curl
cat >"$T/hosts.py" <<'X'
"""hosts DIR PORT: an SMTP server there, LMTP on DIR/lmtp.sock and on
DIR/shut.sock, which its owner alone may use. Recipients that begin with "no"
are refused, those with "later" put off. Mail goes to DIR/got."""
import os, socket, socketserver, sys
where = sys.argv[1]
class Talk(socketserver.StreamRequestHandler):
    lmtp = False
    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')
    def handle(self):
        self.say('220 host.test ready')
        to = []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b'EHLO' and not self.lmtp or verb == b'LHLO':
                self.say('250-host.test')
                self.say('250 PIPELINING')
            elif verb == b'RCPT':
                who = line.split(b'<')[1].split(b'>')[0].decode()
                if who.startswith('no'):
                    self.say('550 5.1.1 nobody of that name')
                elif who.startswith('later'):
                    self.say('450 4.7.1 greylisted, come again')
                else:
                    to.append(who)
                    self.say('250 2.1.5 ok')
            elif verb == b'DATA':
                if not to:
                    self.say('554 5.5.1 no recipients')
                    continue
                self.say('354 go on')
                for line in self.rfile:
                    if line == b'.\r\n':
                        break
                with open(where + '/got', 'a') as f:
                    for who in to:
                        f.write(('lmtp ' if self.lmtp else 'smtp ') + who +
                                '\n')
                for _ in to if self.lmtp else to[:1]:
                    self.say('250 2.0.0 taken')
                to = []
            elif verb == b'QUIT':
                self.say('221 bye')
                return
            else:
                if verb == b'RSET' or verb == b'MAIL':
                    to = []
                self.say('250 2.0.0 ok')
class Ltalk(Talk):
    lmtp = True
class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
import threading
t = Tcp(('127.0.0.1', int(sys.argv[2])), Talk)
for name, mode in (('lmtp.sock', 0o666), ('shut.sock', 0o600)):
    path = os.path.join(where, name)
    if os.path.exists(path):
        os.unlink(path)
    u = Unix(path, Ltalk)
    os.chmod(path, mode)
    threading.Thread(target=u.serve_forever, daemon=True).start()
open(where + '/up', 'w').close()
t.serve_forever()
X
chmod 755 "$T"
mkdir -m 755 "$T/hosts"
: >"$T/hosts/got"
PORT=$(free_port)
hosts_start() {
	rm -f "$T/hosts/up"
	python3 "$T/hosts.py" "$T/hosts" "$PORT" 2>"$T/hosts.err" &
	HELPERS=$!
	wait_for 20 test -e "$T/hosts/up"
}
hosts_stop() {
	kill "$HELPERS"
	wait "$HELPERS" 2>/dev/null
	HELPERS=''
}
got() { # how and who
	grep -qx "$1" "$T/hosts/got"
}
ok "other hosts" hosts_start
instance_start --users 2 --set relay-loopback=yes \
    --set "lmtp-sockets=$T/hosts/lmtp.sock $T/hosts/shut.sock" \
    --set relay-domains=backup.test --set retry-min=1s --set retry-max=2s
MAPS=$(dirname "$CONF")/maps
[ -d "$MAPS" ] || MAPS=$(postern config map-dir)
cat >"$MAPS/transport" <<X
host.test    relay:[127.0.0.1]:$PORT
backup.test  relay:[127.0.0.1]:$PORT
sock.test    lmtp:unix:$T/hosts/lmtp.sock
shut.test    lmtp:unix:$T/hosts/shut.sock
bad.test     error:5.1.10 takes no mail
hole.test    discard
dead.test    relay:[127.0.0.1]:1
X
like "the map is compiled" "$(postern map transport)" "transport: 7 entries"
printf 'a.test nowhere\n' >"$MAPS/other"
mv "$MAPS/transport" "$MAPS/good"
mv "$MAPS/other" "$MAPS/transport"
like "a mistake is told with its place and remedy" \
    "$(postern map transport 2>&1)" "transport:1: \"nowhere\" is no transport; "
mv "$MAPS/good" "$MAPS/transport"

letter() { # to [from]
	message "${2:-$USER1}" "$1" letter >"$T/m"
	smtp "${2:-$USER1}" "$1" "$T/m"
}
ok "a letter to a host" letter ann@host.test
ok "arrives there" wait_for 20 got "smtp ann@host.test"
ok "a letter to a socket" letter ann@sock.test
ok "arrives there" wait_for 20 got "lmtp ann@sock.test"
ok "a letter to a hole" letter ann@hole.test
ok "is gone" wait_for 20 log_has "ev=discarded .*ann@hole.test"
message "$USER1" ann@bad.test no >"$T/m"
like "an error is said at RCPT" "$(curl -sv --mail-from "$USER1" \
    --mail-rcpt ann@bad.test --upload-file "$T/m" \
    "smtp://127.0.0.1:$SMTP_PORT" 2>&1)" "550 5.1.10 takes no mail"
ok "a backup MX passes on" letter ann@backup.test stranger@client.test
ok "and it arrives" wait_for 20 got "smtp ann@backup.test"
ok "a letter that is refused" letter nobody@host.test
ok "comes back" mail_wait user001 1
like "with the other host's words" "$(mail_last user001)" \
    "550 5.1.1 nobody of that name"
like "and its name" "$(mail_last user001)" "Remote-MTA: dns; "

# Down, put off, and seen.
for n in 1 2 3 4 5 6 7; do
	ok "letter $n to a dead host" letter "u$n@dead.test"
done
ok "it is down" wait_for 20 log_has 'ev=down destination="?relay:.127'
like "that is seen" "$(postern queue destinations)" \
    "waiting, .*(down|probing)"
ok "another host is served" letter bob@host.test
ok "at once" wait_for 20 got "smtp bob@host.test"
ok "a letter that is put off" letter later@host.test
put_off() {
	postern queue --json | grep -q '"address":"later@host.test".*greylisted'
}
ok "waits with the reply" wait_for 20 put_off
ok "hold by destination" postern hold destination=dead.test
is "all of it" "$(postern queue --json | grep -c '"held"')" 7
ok "remove by recipient" postern remove recipient=u1@dead.test
ok "remove by next hop" postern remove "destination=relay:[127.0.0.1]:1"
none_is_held() {
	! postern queue --json | grep -q '"held"'
}
ok "they are gone" wait_for 10 none_is_held
if [ "$(id -u)" = 0 ]; then
	ok "a socket that relay may not use" letter ann@shut.test
	ok "is not used in master's name" wait_for 20 \
	    log_has 'ev=refused .*shut.sock.*ermission denied'
fi
ok "remove by sender" postern remove "sender=$USER1"
ok "nothing is left" wait_for 20 queue_is 0

# The other host goes away and comes again, so do we.
hosts_stop
ok "a letter to one that is away" letter back@host.test
ok "waits" wait_for 20 log_has 'ev=deferred .*back@host.test'
ok "restart" instance_restart
ok "it still waits" queue_is 1
ok "the host is back" hosts_start
postern flush
ok "and gets it" wait_for 30 got "smtp back@host.test"

# What waits and has not been tried yet belongs to no next hop.
hosts_stop
ok "another, while it is away" letter held@host.test
ok "waits" wait_for 20 log_has 'ev=deferred .*held@host.test'
ok "it is held" postern hold held@host.test
ok "another restart" instance_restart
like "that nothing was tried is told" "$(postern queue destinations 2>&1)" \
    "since the start; queue ages"
finish
