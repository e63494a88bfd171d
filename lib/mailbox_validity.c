/*
 * mailbox_validity: UIDVALIDITY for a folder that has none (any more): larger
 * than every one before it. The clock alone would give one number twice
 * within a second, or after it was set back; so the largest number of all
 * folders of a Maildir is kept in VALIDITY_NAME in its INBOX: ten digits and
 * LF, written in place, under a lock, synced. To sync seldom, a process takes
 * BLOCK numbers at once, and uses them as long as nobody has taken any since.
 *
 * A folder knows its INBOX by Maildir++'s mark: a file maildirfolder in it
 * says that the Maildir is the directory above.
 */
#include "lib/mailbox_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/lock.h"

enum { DIGITS = 10, BLOCK = 16 };

/* What this process has taken and not used: those after last, up to end. */
static struct {
	dev_t dev;
	ino_t ino;
	uint32_t last, end;
} held;

static int
validity_open(int dirfd)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	struct stat st;
	int fd;

	if (fstatat(dirfd, "maildirfolder", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		fd = openat(dirfd, "../" VALIDITY_NAME, flags, 0600);
		if (fd != -1)
			return fd;
	}
	return openat(dirfd, VALIDITY_NAME, flags, 0600);
}

static uint32_t
validity_read(int fd)
{
	char text[DIGITS + 1];
	uint64_t v;

	if (pread(fd, text, sizeof(text), 0) != sizeof(text) ||
	    text[DIGITS] != '\n' ||
	    span_num(span_of(text, DIGITS), 0, UINT32_MAX, &v) == -1)
		return 0;
	return (uint32_t)v;
}

static int
validity_write(int fd, uint32_t v)
{
	struct buf b;
	char text[DIGITS + 1];
	int rc;

	for (unsigned i = DIGITS; i > 0; i--, v /= 10)
		text[i - 1] = (char)('0' + v % 10);
	text[DIGITS] = '\n';
	buf_init(&b, sizeof(text));
	buf_bytes(&b, text, sizeof(text));
	rc = pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n && fsync(fd) == 0 ? 0 :
									 -1;
	buf_fini(&b);
	return rc;
}

/* The file says `last`. 0: nothing is held that comes after it. */
static uint32_t
held_next(const struct stat *st, uint32_t last)
{
	if (held.end == 0 || held.end != last || held.last == held.end ||
	    st->st_dev != held.dev || st->st_ino != held.ino)
		return 0;
	return ++held.last;
}

/* BLOCK numbers; the first is for now. 0: it cannot be kept. */
static uint32_t
block_take(int fd, const struct stat *st, uint32_t last)
{
	int64_t now = (int64_t)time(NULL);
	uint32_t v = last, end;

	if (v >= UINT32_MAX - BLOCK)
		v = 0; /* in a hundred years, or a file of nonsense */
	v = now > (int64_t)v && now < UINT32_MAX - BLOCK ? (uint32_t)now :
							   v + 1;
	end = v + BLOCK - 1;
	if (validity_write(fd, end) == -1)
		return 0;
	held.dev = st->st_dev;
	held.ino = st->st_ino;
	held.last = v;
	held.end = end;
	return v;
}

uint32_t
validity_next(int dirfd)
{
	struct stat st;
	uint32_t v, last;
	int fd;

	fd = validity_open(dirfd);
	if (fd == -1)
		return 0;
	if (lock_wait(fd, MAILBOX_LOCK_MS) == -1 || fstat(fd, &st) == -1) {
		fd_close(&fd);
		return 0;
	}
	last = validity_read(fd);
	v = held_next(&st, last);
	if (v == 0)
		v = block_take(fd, &st, last);
	fd_close(&fd);
	return v;
}
