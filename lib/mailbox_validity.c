/*
 * mailbox_validity: UIDVALIDITY for a folder that has none (any more): larger
 * than every one before it. The clock alone would give one number twice
 * within a second, or after it was set back; so the largest number of all
 * folders of a Maildir is kept in VALIDITY_NAME in its INBOX: ten digits and
 * LF, written in place, under a lock, synced.
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

enum { DIGITS = 10 };

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

uint32_t
validity_next(int dirfd, uint32_t above)
{
	int64_t now = (int64_t)time(NULL);
	uint32_t v, last;
	int fd;

	fd = validity_open(dirfd);
	if (fd == -1)
		return 0;
	if (lock_wait(fd, MAILBOX_LOCK_MS) == -1) {
		fd_close(&fd);
		return 0;
	}
	last = validity_read(fd);
	v = last > above ? last : above;
	if (v == UINT32_MAX)
		v = 0; /* in a hundred years, or a file of nonsense */
	v = now > (int64_t)v && now < UINT32_MAX ? (uint32_t)now : v + 1;
	if (validity_write(fd, v) == -1)
		v = 0;
	fd_close(&fd);
	return v;
}
