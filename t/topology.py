# topology.py TABLE PROCESSES RUN_DIR LIBEXEC SPOOL MAIL LOG PRIVILEGED:
# compares /proc with what `postern topology` and `postern status
# --processes` say. Prints "ok ..." and "no ..." lines for t/e2e/topology.sh.
import os
import re
import sys

table_file, process_file, run, libexec, spool, mail, log, form = sys.argv[1:]
privileged = form == "yes"


def words(line):
    return dict(w.split("=", 1) for w in line.split() if "=" in w)


def say(good, *text):
    print("ok" if good else "no", *text)
    return good


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


table = {line.split()[0]: words(line) for line in read(table_file).splitlines()}
processes = [words(line) for line in read(process_file).splitlines()]

# Ports by service, as master published them.
ports = {}
for line in read(run + "/listeners").splitlines():
    service, address, port = line.split()[0], line.split()[-2], line.split()[-1]
    ports.setdefault(service, []).append(port)


def tcp_listeners():
    """inode -> port of listening TCP sockets"""
    out = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = read("/proc/net/" + name).splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            f = line.split()
            if f[3] == "0A":
                out[f[9]] = str(int(f[1].rsplit(":", 1)[1], 16))
    return out


def unix_listeners():
    """inode -> path of listening UNIX sockets"""
    out = {}
    for line in read("/proc/net/unix").splitlines()[1:]:
        f = line.split()
        if len(f) == 8 and int(f[3], 16) & 0x10000:
            out[f[6]] = f[7]
    return out


def descriptors(pid):
    d = "/proc/%s/fd/" % pid
    out = {}
    for fd in os.listdir(d):
        try:
            out[int(fd)] = os.readlink(d + fd)
        except OSError:
            pass
    return out


def status(pid):
    return dict(
        line.split(":", 1) for line in read("/proc/%s/status" % pid).splitlines()
        if ":" in line)


def check_identity_is(name, p, s):
    say(s["Uid"].split() == [p["uid"]] * 4, name, "has uid", p["uid"],
        "four times")
    say(s["Gid"].split() == [p["gid"]] * 4, name, "has gid", p["gid"],
        "four times")


def check_identity(name, pid, p, s):
    check_identity_is(name, p, s)
    if privileged:
        say(s["Groups"].split() in ([], [p["gid"]]), name,
            "is in no other group")
        say(p["uid"] != "0", name, "is not root")
    root = os.readlink("/proc/%s/root" % pid)
    say(root == p["root"], name, "has root", p["root"])
    wanted = table[p["role"]]["root"]
    say(not privileged or (wanted == "empty") == root.endswith("/empty"), name,
        "has the root of the table:", wanted)


def check_sandbox(name, s):
    say(s["NoNewPrivs"].strip() == "1", name, "has no_new_privs")
    say(s["Seccomp"].strip() == "2", name, "has a filter of system calls")
    caps = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
    if privileged:
        caps.append("CapBnd")
    for cap in caps:
        say(int(s[cap], 16) == 0, name, "has no capabilities in", cap)


# What a descriptor beyond 2 may be, by role; and nothing else.
COMMON = [r"socket:\[\d+\]", r"anon_inode:\[(eventpoll|eventfd|signalfd)\]",
          r"pipe:\[\d+\]"]
MEMORY = [r"/memfd:[a-z.]+( \(deleted\))?"]
EXTRA = {
    "smtpd": MEMORY + [re.escape(spool) + r"/queue/[^/]+( \(deleted\))?"],
    "login": MEMORY,
    "auth": MEMORY,
    "relay": MEMORY + [re.escape(spool) + r"/queue/[^/]+( \(deleted\))?"],
    "dns": MEMORY,
    "queue": MEMORY + [re.escape(spool) + r"(/queue|/corrupt)?",
                       re.escape(spool) + r"/queue/[^/]+( \(deleted\))?"],
    "deliver": [re.escape(mail) + r"(/.*)?"],
    "pop3d": [re.escape(mail) + r"/[^/]+/[^/]+/Maildir(/.*)?"],
    "imapd": [re.escape(mail) + r"/[^/]+/[^/]+/Maildir(/.*)?",
              r"anon_inode:inotify"],
}


def check_descriptors(name, role, fds):
    say(fds.get(0) == "/dev/null" and fds.get(1) == "/dev/null", name,
        "has /dev/null as 0 and 1")
    say(fds.get(2) == log, name, "has the log as 2")
    say(fds.get(3, "").startswith("socket:"), name, "has its channel as 3")
    fit = re.compile("|".join(COMMON + EXTRA[role]))
    strange = [what for fd, what in fds.items() if fd > 2 and
               not fit.fullmatch(what)]
    say(not strange, name, "holds nothing else", *strange)


def check_listeners(name, role, fds, tcp, unix):
    wanted = set()
    for service in table[role]["listens"].split(","):
        for port in ports.get(service, []):
            wanted.add(port if port != "-" else {
                "local": run + "/submit.sock",
                "queue": run + "/queue.sock"}[service])
    held = set()
    for what in fds.values():
        m = re.fullmatch(r"socket:\[(\d+)\]", what)
        if m and m.group(1) in tcp:
            held.add(tcp[m.group(1)])
        elif m and m.group(1) in unix:
            held.add(unix[m.group(1)])
    say(held == wanted, name, "listens where the table says",
        *sorted(held ^ wanted))


def check_stem(name, p, s, fds):
    """As master's children are before GO: its user still, but no more."""
    check_identity_is(name, p, s)
    say(not privileged or s["NoNewPrivs"].strip() == "1", name,
        "has no_new_privs")
    say(not privileged or int(s["CapBnd"], 16) == 0, name,
        "can get no capability by a program it runs")
    strange = [what for fd, what in fds.items() if fd > 3]
    say(not strange, name, "holds nothing but its channel", *strange)


def check_child(p, tcp, unix):
    name = p["role"] + p["index"]
    try:
        look_at_child(name, p, tcp, unix)
    except PermissionError:
        print("#", name, "cannot be looked at")
    except (FileNotFoundError, ProcessLookupError):
        print("#", name, "has ended meanwhile")


def look_at_child(name, p, tcp, unix):
    pid, role = p["pid"], p["role"]
    s, fds = status(pid), descriptors(pid)
    if p["state"] == "stem":
        check_stem(name + "'s stem", p, s, fds)
        return
    check_identity(name, pid, p, s)
    check_sandbox(name, s)
    check_descriptors(name, role, fds)
    if p["state"] == "ready":
        check_listeners(name, role, fds, tcp, unix)
    env = read("/proc/%s/environ" % pid).split("\0")
    say([e for e in env if e and "SAN_OPTIONS" not in e] == [], name,
        "has an empty environment")


def programs():
    """pids of whatever runs from libexec"""
    out = set()
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            args = read("/proc/%s/cmdline" % pid).split("\0")
        except OSError:
            continue
        if args[0].startswith(libexec + "/") and \
                args[0].rsplit("/", 1)[1] != "postern":
            out.add(pid)
    return out


def main():
    tcp, unix = tcp_listeners(), unix_listeners()
    master = processes[0]
    say(master["role"] == "master", "master is the first")
    say(status(master["pid"])["Uid"].split()[1] == master["uid"],
        "master has the uid it says")
    say((master["uid"] == "0") == privileged, "master is root if, and only "
        "if, this is the privileged form")
    for p in processes[1:]:
        check_child(p, tcp, unix)
    listed = {p["pid"] for p in processes}
    unlisted = {pid for pid in programs() - listed if os.path.exists(
        "/proc/" + pid)}
    say(not unlisted, "no process is unlisted", *unlisted)
    for role, row in table.items():
        if row["count"] == "always":
            n = len([p for p in processes if p["role"] == role and
                     p.get("state") != "draining"])
            say(n == int(row["number"]), "there are", row["number"], role)


main()
