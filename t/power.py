"""power: what a disk may hold after a power failure.

Plays the journal of t/unit/fault.c row by row into a model of the spool, and
tells, after each row, every image that a disk which obeys fsync(2) may show:
a file's bytes are safe once the file was synced, its name once the directory
was. All else may be there, not at all, or in part.
"""
import struct

SUBMIT_IS, JOB_IS = 35, 49


class File:
    def __init__(self, name):
        self.name = name
        self.now = bytearray()
        self.safe = None     # bytes, once synced

    def synced(self):
        return self.safe if self.safe is not None else b''

    def zeros(self):
        """The length reached the disk, the bytes did not."""
        s = self.synced()[:len(self.now)]
        return s + bytes(len(self.now) - len(s))

    def torn(self):
        """Half of what was written since."""
        s = self.synced()
        same = 0
        while same < min(len(s), len(self.now)) and s[same] == self.now[same]:
            same += 1
        half = same + (len(self.now) - same) // 2
        return bytes(self.now[:half]) + s[half:]


class Disk:
    def __init__(self, root, bodies):
        self.root = root     # inode of the spool directory
        self.bodies = bodies # name: what smtpd appends by itself
        self.dirs = {}       # inode: name, once opened
        self.made = set()    # directories of root
        self.safe_dirs = set()
        self.files = {}      # inode: File
        self.names = {}      # of queue/: File
        self.safe_names = {}
        self.aside = 0
        self.acked = set()   # queue ids
        self.results = set() # (queue id, index, code)

    def play(self, op, _, a, b, data):
        getattr(self, 'on_' + op)(a, b, data)

    def in_queue(self, inode):
        return self.dirs.get(inode) == 'queue'

    def on_m(self, _, b, data):
        if b == self.root:
            self.made.add(data.decode())

    def on_d(self, a, b, data):
        if b == self.root:
            self.dirs[a] = data.decode()
            self.made.add(data.decode())

    def on_c(self, a, b, data):
        if self.in_queue(b):
            self.files[a] = self.names[data.decode()] = File(data.decode())

    def on_w(self, a, b, data):
        f = self.files.get(a)
        if f is not None:
            self.catch_up(f, b)
            if len(f.now) < b:
                f.now.extend(bytes(b - len(f.now)))
            f.now[b:b + len(data)] = data

    def catch_up(self, f, size):
        """smtpd wrote up to here."""
        body = self.bodies.get(f.name, b'')
        if size > len(f.now) and size - len(f.now) <= len(body):
            f.now.extend(body[:size - len(f.now)])

    def on_t(self, a, b, _):
        if a in self.files:
            del self.files[a].now[b:]

    def on_s(self, a, b, _):
        if a == self.root:
            self.safe_dirs = set(self.made)
        elif self.in_queue(a):
            self.safe_names = dict(self.names)
        elif a in self.files:
            f = self.files[a]
            self.catch_up(f, b)
            assert len(f.now) == b, 'the journal misses a write'
            f.safe = bytes(f.now)

    def on_u(self, _, b, data):
        if self.in_queue(b):
            self.names.pop(data.decode(), None)

    def on_r(self, a, _, data):
        if self.in_queue(a):
            self.names.pop(data.decode(), None)
            self.aside += 1

    def on_S(self, _, __, data):
        if len(data) >= 18:
            kind, _, qid, code = struct.unpack_from('>HIQI', data)
            if kind == SUBMIT_IS and code == 250:
                self.acked.add(qid)

    def on_R(self, _, __, data):
        kind, _ = struct.unpack_from('>HI', data)
        if kind != JOB_IS:
            return
        n, at = struct.unpack_from('>I', data, 6)[0], 10
        for _ in range(n):
            qid, index, code = struct.unpack_from('>QII', data, at)
            at += 16
            for plain in 0, 0, 4: # enhanced, text, about and host
                at += plain
                at += 4 + struct.unpack_from('>I', data, at)[0]
            self.results.add((qid, index, code))

    def images(self):
        """{what: {name: bytes}}"""
        if 'queue' not in self.safe_dirs:
            return {'no directory': None}
        now, safe = self.names, self.safe_names
        both = {n: f for n, f in safe.items() if now.get(n) is f}
        return {
            'only what was synced': {n: f.synced() for n, f in safe.items()},
            'names, bytes as synced': {n: f.synced() for n, f in now.items()},
            'names, zeros': {n: f.zeros() for n, f in now.items()},
            'names, torn bytes': {n: f.torn() for n, f in now.items()},
            'names, bytes': {n: bytes(f.now) for n, f in now.items()},
            'removals only': {n: f.synced() for n, f in both.items()},
        }
