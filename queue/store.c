/*
 * store: files in SPOOL/queue, one flat directory, this process its only
 * writer.
 *
 * - a file is created once and unlinked once; it is never renamed, except to
 *   SPOOL/corrupt
 * - whoever creates a file that cannot be completed removes it
 * - short writes are errors of the disk and reported as such
 */
#include "queue/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/os_file.h"
#include "lib/qid.h"
#include "queue/litter.h"
#include "queue/queue.h"

enum { LOG_PIECE = 64 * 1024 };

static_assert(LOG_PIECE >= 2 * (SPOOL_RECORD_MAX + 8),
    "a piece holds more than a record");

static int dir_fd = -1, corrupt_fd = -1;

static int
subdir(int spool_fd, const char *name)
{
	int fd;

	if (mkdirat(spool_fd, name, 0700) == 0) {
		if (fsync(spool_fd) == -1)
			die("cannot sync the spool directory");
	} else if (errno != EEXIST) {
		die("cannot make %s in the spool directory", name);
	}
	fd = openat(spool_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1)
		die("cannot open %s in the spool directory", name);
	return fd;
}

void
store_init(int spool_fd)
{
	dir_fd = subdir(spool_fd, "queue");
	corrupt_fd = subdir(spool_fd, "corrupt");
}

static int
create(uint64_t qid, int how)
{
	char name[QID_TEXT_MAX];

	qid_text(qid, name);
	return openat(dir_fd, name, how | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
}

static int
write_both(int fd, struct span a, struct span b)
{
	struct iovec v[2] = { { (void *)(uintptr_t)a.p, a.n },
		{ (void *)(uintptr_t)b.p, b.n } };
	ssize_t n;

	do
		n = writev(fd, v, 2);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if ((size_t)n != a.n + b.n) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

/* Undoes a creation; keeps errno. */
static int
undo(uint64_t qid, int *fd)
{
	int saved = errno;

	fd_close(fd);
	store_remove(qid);
	errno = saved;
	return -1;
}

int
store_write(uint64_t qid, struct span front, struct span body)
{
	int fd = create(qid, O_WRONLY);

	if (fd == -1)
		return -1;
	if (write_both(fd, front, body) == -1)
		return undo(qid, &fd);
	return fd;
}

int
store_begin(uint64_t qid, struct span front, int *append_fd)
{
	char name[QID_TEXT_MAX];
	int fd = create(qid, O_RDWR);

	if (fd == -1)
		return -1;
	if (write_both(fd, front, SPAN_NONE) == -1)
		return undo(qid, &fd);
	qid_text(qid, name);
	*append_fd = openat(dir_fd, name, O_WRONLY | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC);
	if (*append_fd == -1)
		return undo(qid, &fd);
	return fd;
}

int
store_finish(int fd, const struct spool_head *h)
{
	struct buf b;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size != SPOOL_HEAD + h->envlen + h->size) {
		errno = EBADMSG;
		return -1;
	}
	buf_init(&b, SPOOL_HEAD);
	spool_head_encode(&b, h);
	n = pwrite(fd, b.p, b.n, 0);
	buf_fini(&b);
	if (n == -1)
		return -1;
	if (n != SPOOL_HEAD) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int
store_sync(void)
{
	return fsync(dir_fd);
}

int
store_append(uint64_t qid, off_t at, struct span records, bool torn)
{
	char name[QID_TEXT_MAX];
	int fd, rc = -1;
	ssize_t n;

	qid_text(qid, name);
	fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (torn && ftruncate(fd, at) == -1)
		goto out;
	n = pwrite(fd, records.p, records.n, at);
	if (n == -1)
		goto out;
	if ((size_t)n != records.n) {
		errno = ENOSPC;
		goto out;
	}
	rc = 0;
out:
	fd_close(&fd);
	return rc;
}

int
store_open(uint64_t qid)
{
	char name[QID_TEXT_MAX];

	qid_text(qid, name);
	return openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

ssize_t
store_read(int fd, char *p, size_t n, off_t at)
{
	size_t got = 0;
	ssize_t r;

	while (got < n) {
		r = pread(fd, p + got, n - got, at + (off_t)got);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int
store_log(int fd, off_t at, void (*fn)(const struct spool_record *, void *),
    void *arg, off_t *end, bool *torn)
{
	static char piece[LOG_PIECE];
	struct spool_record r;
	struct span rest;
	ssize_t n;

	do {
		if ((n = store_read(fd, piece, sizeof(piece), at)) == -1)
			return -1;
		rest = span_of(piece, (size_t)n);
		while (spool_record_next(&rest, &r) == 1)
			fn(&r, arg);
		at += (off_t)((size_t)n - rest.n);
		/* A full piece may have cut a record: it comes again. */
	} while (n == LOG_PIECE && rest.n < LOG_PIECE);
	*end = at;
	*torn = rest.n > 0;
	return 0;
}

void
store_remove(uint64_t qid)
{
	char name[QID_TEXT_MAX];

	qid_text(qid, name);
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return;
	log_begin(LL_ERROR, "remove");
	log_str("qid", name);
	log_err(errno);
	log_end();
	litter_add(qid);
}

void
store_set_aside_name(const char *name, const char *why)
{
	int rc = renameat(dir_fd, name, corrupt_fd, name), saved = errno;

	log_begin(LL_ERROR, "corrupt");
	log_str("qid", name);
	log_str("why", why);
	log_str("file", rc == 0 ? "moved to corrupt/ in the spool directory" :
				  strerror(saved));
	log_end();
}

void
store_set_aside(uint64_t qid, const char *why)
{
	char name[QID_TEXT_MAX];

	qid_text(qid, name);
	store_set_aside_name(name, why);
}

static uint64_t free_bytes, free_files; /* as last heard of */

static bool
room_is_known(uint64_t size)
{
	return free_files >= 2 && free_bytes >= queue.conf->spool_reserve &&
	    free_bytes - queue.conf->spool_reserve >= size;
}

/* Only good news is kept: who was refused finds room as soon as it is there. */
bool
store_has_room(uint64_t size)
{
	static uint64_t asked = UINT64_MAX;
	struct statvfs v;
	uint64_t now = loop_now() / 1000;

	if (now != asked || !room_is_known(size)) {
		if (fstatvfs(dir_fd, &v) == -1)
			return true; /* the write itself will tell */
		asked = now;
		free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
		/* File systems without a fixed number of inodes say 0 of 0. */
		free_files = v.f_files == 0 ? UINT64_MAX : v.f_favail;
	}
	if (!room_is_known(size))
		return false;
	free_bytes -= size;
	return true;
}

DIR *
store_list(void)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;

	if (fd == -1)
		return NULL;
	if ((d = fdopendir(fd)) == NULL)
		fd_close(&fd);
	return d;
}
