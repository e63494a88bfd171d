/*
 * fault: makes file and channel calls of a daemon fail, be short, or be its
 * last, and keeps a journal of what it did to the disk. Preloaded into the
 * real program by t/fault.py; not a test by itself.
 *
 * - all is told and written in one shared mapping, made before the sandbox
 *   is entered: no call is added but fstat(2), which the programs may use
 * - calls are counted from the first mkdirat(2) on, where the queue opens
 *   its spool; standard descriptors do not count
 * - the journal is written when a call has succeeded; it holds what a disk
 *   would have to keep, so that a power failure can be played afterwards
 */
#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAP_SIZE = 64 * 1024 * 1024, SENT_KEPT = 32, RECEIVED_KEPT = 16384 };

enum how {
	HOW_NOT,
	HOW_FAIL,  /* call number `at` */
	HOW_SHORT, /* it writes half */
	HOW_EXIT,  /* the process ends before it */
	HOW_FULL,  /* from there on, until told otherwise: nothing grows */
	HOW_DEAD,  /* no call on a file succeeds */
	HOW_FILES, /* no descriptor is free */
	HOW_LIE,   /* fsync(2) does nothing and says it did */
	HOW_NO_ROOM, /* fstatvfs(3) tells of none */
};

enum kind { FILE_READ = 1, FILE_GROW = 2, FILE_FREE = 4, NEW_FD = 8,
	CHANNEL = 16 };

struct shared { /* t/fault.py knows it */
	volatile uint64_t calls, at, how, used, overflow, hit;
	char what[16]; /* the call that was hit last */
	char journal[];
};

static struct shared *sh;
static bool counting;

static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_mkdirat)(int, const char *, mode_t);
static int (*real_fstat)(int, struct stat *);
static int (*real_fstatvfs)(int, struct statvfs *);
static DIR *(*real_fdopendir)(int);
static struct dirent *(*real_readdir)(DIR *);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static ssize_t (*real_recvmsg)(int, struct msghdr *, int);

static void
find(void *at, const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	memcpy(at, &p, sizeof(p));
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULT_MAP");
	int fd;

	find(&real_openat, "openat");
	find(&real_writev, "writev");
	find(&real_write, "write");
	find(&real_pwrite, "pwrite");
	find(&real_pread, "pread");
	find(&real_fsync, "fsync");
	find(&real_ftruncate, "ftruncate");
	find(&real_unlinkat, "unlinkat");
	find(&real_renameat, "renameat");
	find(&real_mkdirat, "mkdirat");
	find(&real_fstat, "fstat");
	find(&real_fstatvfs, "fstatvfs");
	find(&real_fdopendir, "fdopendir");
	find(&real_readdir, "readdir");
	find(&real_sendmsg, "sendmsg");
	find(&real_recvmsg, "recvmsg");
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		abort();
	sh = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (sh == MAP_FAILED)
		abort();
	close(fd);
}

/* --- what shall happen ------------------------------------------------- */

static bool
struck_for_long(enum how how, int kind)
{
	switch (how) {
	case HOW_FULL:
		return (kind & FILE_GROW) != 0;
	case HOW_DEAD:
		return (kind & CHANNEL) == 0;
	case HOW_FILES:
		return (kind & NEW_FD) != 0;
	default:
		return false;
	}
}

static int
error_for_long(enum how how, int otherwise)
{
	return how == HOW_FULL ? ENOSPC : how == HOW_DEAD ? EIO :
	    how == HOW_FILES ? EMFILE : otherwise;
}

/*
 * Counts a call. 0: do it; -1: it fails, errno is set; 1: do half of it.
 */
static int
strike(const char *name, int kind, int error)
{
	enum how how = (enum how)sh->how;
	uint64_t k;

	if (!counting)
		return 0;
	k = ++sh->calls;
	if (how == HOW_NOT || how >= HOW_LIE || k < sh->at)
		return 0;
	if (how <= HOW_EXIT ? k != sh->at : !struck_for_long(how, kind))
		return 0;
	if (how == HOW_SHORT && (kind & FILE_GROW) == 0)
		return 0;
	sh->hit++;
	strncpy(sh->what, name, sizeof(sh->what) - 1);
	if (how == HOW_EXIT)
		_exit(99);
	if (how == HOW_SHORT)
		return 1;
	errno = error_for_long(how, error);
	return -1;
}

/* --- the journal ------------------------------------------------------- */

static uint64_t
ino_of(int fd)
{
	struct stat st;
	int saved = errno;
	uint64_t n = real_fstat(fd, &st) == -1 ? 0 : st.st_ino;

	errno = saved;
	return n;
}

static uint64_t
size_of(int fd)
{
	struct stat st;

	return real_fstat(fd, &st) == -1 ? 0 : (uint64_t)st.st_size;
}

/*
 * A row: what it was, at which call, two numbers, n bytes out of iov. It
 * counts when it is complete: SIGKILL may come at any time.
 */
static void
note_iov(char op, uint64_t a, uint64_t b, const struct iovec *iov, size_t niov,
    size_t n)
{
	uint64_t row[5] = { (unsigned char)op, sh->calls, a, b, n };
	char *to = sh->journal + sh->used;

	if (!counting)
		return;
	if (sh->used + sizeof(row) + n > MAP_SIZE - sizeof(*sh)) {
		sh->overflow = 1;
		return;
	}
	memcpy(to, row, sizeof(row));
	to += sizeof(row);
	for (size_t i = 0; i < niov && n > 0; i++) {
		size_t part = iov[i].iov_len < n ? iov[i].iov_len : n;

		if (part > 0)
			memcpy(to, iov[i].iov_base, part);
		to += part;
		n -= part;
	}
	sh->used = (uint64_t)(to - sh->journal);
}

static void
note(char op, uint64_t a, uint64_t b, const void *p, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	note_iov(op, a, b, &iov, 1, n);
}

static size_t
iov_size(const struct iovec *iov, size_t niov)
{
	size_t n = 0;

	for (size_t i = 0; i < niov; i++)
		n += iov[i].iov_len;
	return n;
}

/* --- names ------------------------------------------------------------- */

static int
open_at(int dir, const char *name, int flags, mode_t mode)
{
	bool makes = (flags & O_CREAT) != 0;
	int fd;

	if (strike(makes ? "create" : "openat",
	    NEW_FD | (makes ? FILE_GROW : FILE_READ),
	    makes ? ENOSPC : EMFILE) == -1)
		return -1;
	fd = real_openat(dir, name, flags, mode);
	if (fd != -1 && (makes || (flags & O_DIRECTORY) != 0))
		note(makes ? 'c' : 'd', ino_of(fd), ino_of(dir), name,
		    strlen(name));
	return fd;
}

int
openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return open_at(dir, name, flags, mode);
}

int __openat_2(int, const char *, int);

int
__openat_2(int dir, const char *name, int flags)
{
	return open_at(dir, name, flags, 0);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
	counting = true;
	if (strike("mkdirat", FILE_GROW, ENOSPC) == -1 ||
	    real_mkdirat(dir, name, mode) == -1)
		return -1;
	note('m', 0, ino_of(dir), name, strlen(name));
	return 0;
}

int
unlinkat(int dir, const char *name, int flags)
{
	if (strike("unlinkat", FILE_FREE, EIO) == -1 ||
	    real_unlinkat(dir, name, flags) == -1)
		return -1;
	note('u', 0, ino_of(dir), name, strlen(name));
	return 0;
}

int
renameat(int from, const char *name, int to, const char *as)
{
	if (strike("renameat", FILE_FREE, EIO) == -1 ||
	    real_renameat(from, name, to, as) == -1)
		return -1;
	note('r', ino_of(from), ino_of(to), name, strlen(name));
	return 0;
}

DIR *
fdopendir(int fd)
{
	if (strike("fdopendir", FILE_READ, ENOMEM) == -1)
		return NULL;
	return real_fdopendir(fd);
}

struct dirent *
readdir(DIR *d)
{
	if (strike("readdir", FILE_READ, EIO) == -1)
		return NULL;
	return real_readdir(d);
}

int
fstatvfs(int fd, struct statvfs *v)
{
	if (strike("fstatvfs", FILE_READ, EIO) == -1 ||
	    real_fstatvfs(fd, v) == -1)
		return -1;
	if (sh->how == HOW_NO_ROOM)
		v->f_bavail = v->f_favail = 0;
	return 0;
}

int
fstat(int fd, struct stat *st)
{
	if (strike("fstat", FILE_READ, EIO) == -1)
		return -1;
	return real_fstat(fd, st);
}

/* --- bytes ------------------------------------------------------------- */

/* Half of it, at least one byte less. */
static ssize_t
written(int fd, const struct iovec *iov, size_t niov, off_t at, bool half)
{
	char *all;
	size_t n = iov_size(iov, niov), left = n, used = 0;
	uint64_t start = at == -1 ? size_of(fd) : (uint64_t)at;
	ssize_t r;

	if ((all = malloc(n + 1)) == NULL)
		return -1;
	for (size_t i = 0; i < niov; i++) {
		if (iov[i].iov_len > 0)
			memcpy(all + used, iov[i].iov_base, iov[i].iov_len);
		used += iov[i].iov_len;
	}
	if (half)
		left = n / 2;
	r = at == -1 ? real_write(fd, all, left) :
	    real_pwrite(fd, all, left, at);
	if (r > 0)
		note('w', ino_of(fd), start, all, (size_t)r);
	free(all);
	return r;
}

ssize_t
writev(int fd, const struct iovec *iov, int niov)
{
	int how;

	if (fd <= STDERR_FILENO || !counting)
		return real_writev(fd, iov, niov);
	if ((how = strike("writev", FILE_GROW, ENOSPC)) == -1)
		return -1;
	return written(fd, iov, (size_t)niov, -1, how == 1);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };
	int how;

	if ((how = strike("pwrite", FILE_GROW, ENOSPC)) == -1)
		return -1;
	return written(fd, &iov, 1, at, how == 1);
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	if (strike("pread", FILE_READ, EIO) == -1)
		return -1;
	return real_pread(fd, p, n, at);
}

int
ftruncate(int fd, off_t n)
{
	if (strike("ftruncate", FILE_FREE, EIO) == -1 ||
	    real_ftruncate(fd, n) == -1)
		return -1;
	note('t', ino_of(fd), (uint64_t)n, "", 0);
	return 0;
}

int
fsync(int fd)
{
	if (strike("fsync", FILE_GROW, EIO) == -1)
		return -1;
	if (sh->how == HOW_LIE)
		return 0;
	if (real_fsync(fd) == -1)
		return -1;
	note('s', ino_of(fd), size_of(fd), "", 0);
	return 0;
}

/* --- channels ---------------------------------------------------------- */

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t n;

	if (strike("sendmsg", CHANNEL, ENOBUFS) == -1)
		return -1;
	n = real_sendmsg(fd, m, flags);
	if (n > 0)
		note_iov('S', 0, 0, m->msg_iov, m->msg_iovlen,
		    n < SENT_KEPT ? (size_t)n : SENT_KEPT);
	return n;
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t n;

	if (strike("recvmsg", CHANNEL, ENOMEM) == -1)
		return -1;
	n = real_recvmsg(fd, m, flags);
	if (n > 0)
		note_iov('R', 0, 0, m->msg_iov, m->msg_iovlen,
		    n < RECEIVED_KEPT ? (size_t)n : RECEIVED_KEPT);
	return n;
}
