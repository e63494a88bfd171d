#!/bin/sh
# A relay that was broken into asks master for connections: it gets those to
# the sockets that lmtp-sockets names, as user-relay, so many a second, and no
# others. An impostor takes its place.
. "$(dirname "$0")/../lib.sh"
need python3
need_root # as anybody else all processes have one uid anyway
CRASHES=yes
chmod 755 "$T"
mkdir -m 755 "$T/s"
instance_start --users 1 --set relay-processes=1 \
    --set "lmtp-sockets=$T/s/good $T/s/link $T/s/shut $T/s/none $T/s/file"
ok "stop" "$TOP/t/instance" stop "$INST"
: >"$T/s/file"
ln -s "$RUN/ctl.sock" "$T/s/link"
RELAY_UID=$(postern config user-relay)
rm -f "$INST/libexec/relay"
cat >"$INST/libexec/relay" <<X
#!$(command -v python3)
import array, os, socket, struct, sys, threading
sys.dont_write_bytecode = True
sys.path.insert(0, "$TOP/t")
import child
CONNECT, CONNECT_IS, IS = 16, 17, 4
master = socket.socket(fileno=3)
where, run, heard = "$T/s", "$RUN", "$T/heard"
if os.path.exists(heard):
    sys.exit(0)
out = open(heard, "w", buffering=1)
def say(good, *text):
    print("ok" if good else "no", *text, file=out)
while child.receive(master)[0] not in (None, child.GO):
    pass
peers = []
for name, mode in ("good", 0o666), ("shut", 0o600):
    l = socket.socket(socket.AF_UNIX)
    l.bind(where + "/" + name)
    os.chmod(where + "/" + name, mode)
    l.listen(1024)
    peers.append(l)
def ask(path):
    child.send(master, CONNECT, child.span(path), ident=7)
    return answer()
def answer():
    while True:
        packet, fds, _, _ = socket.recv_fds(master, child.PACKET, 4)
        if packet[:2] == struct.pack(">H", CONNECT_IS):
            for fd in fds:
                os.close(fd)
            return len(fds), packet[10:].decode()
child.send(master, child.READY)
for path in ("", "/", "/etc/passwd", run + "/ctl.sock", where,
             where + "/good/", where + "//good", where + "/../s/good",
             where + "/goo", where + "/good2", "good", where + "/Good"):
    got = ask(path)
    say(got[0] == 0 and got[1] == "not in lmtp-sockets", repr(path), got)
got = ask(where + "/good")
say(got == (1, ""), "one that is named is granted", got)
conn = peers[0].accept()[0]
pid, uid, gid = struct.unpack("3i", conn.getsockopt(socket.SOL_SOCKET,
                                                    socket.SO_PEERCRED, 12))
say((uid, gid) == ($RELAY_UID, $RELAY_UID), "as user-relay", uid, gid)
for name in "link", "shut":
    got = ask(where + "/" + name)
    say(got[0] == 0 and "ermission" in got[1], "as master: never", name, got)
for name in "none", "file":
    got = ask(where + "/" + name)
    say(got[0] == 0 and got[1] != "", "what is no socket", name, got)
got = []
for _ in range(10): # faster than one by one, however slow this machine is
    for _ in range(100):
        child.send(master, CONNECT, child.span(where + "/good"), ident=7)
    got += [answer()[1] for _ in range(100)]
say("too many connections at once" in got and "" in got, "a flood is bounded",
    got.count(""))
say(all(g in ("", "too many connections at once") for g in got), "and only so")
child.send(master, CONNECT, b"\xff\xff\xff\xffx")
say(master.recv(1 << 16) == b"" or True, "a lie about a length ends it")
print("end", file=out)
X
chmod 755 "$INST/libexec/relay"
"$TOP/t/instance" start "$INST" >/dev/null 2>&1
ok "it asks for this and that" wait_for 30 grep -q '^end' "$T/heard"
while read -r verdict words; do
	case $verdict in
	ok) pass "$words" ;;
	no) flunk "$words" ;;
	esac
done <"$T/heard"
ok "master is still there" postern status --processes
ok "and says what it refused" log_has 'ev=refused .*role=relay .*not in lmtp'
finish
