/*
 * box: mailboxes, opened once and kept.
 *
 * Opening costs four calls, writing a message six; a busy mailbox is not
 * opened for each. A kept descriptor may go stale: the owner, or the
 * administrator, moves the Maildir away and makes another. So at most once a
 * second (CHECK_EVERY) new/ is looked up again by name and compared. In
 * between a message could follow a mailbox that has just been moved; it is
 * then where the mailbox is. A removed one is noticed at once: nothing can
 * be created in a directory that was removed, and the caller forgets it.
 *
 * A mailbox never leads out of root, and for virtual mailboxes no component
 * of its path may be a symbolic link (lib/os_file.c).
 */
#include "deliver/box.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/maildir.h"
#include "lib/os_file.h"

enum { CHECK_EVERY = 1 }; /* s */

static struct box boxes[BOX_MAX];
static uint64_t uses;
static int root_fd = -1;
static int root_errno; /* why it could not be opened */
static struct span root_path;
static bool follow;
static struct buf path, sub_path, name; /* scratch, kept for its memory */

void
box_init(int fd, int errnum, struct span root, bool links)
{
	size_t i;

	for (i = 0; i < BOX_MAX; i++)
		boxes[i] = (struct box){ .dir_fd = -1, .new_fd = -1,
			.tmp_fd = -1 };
	buf_init(&path, PATH_LEN_MAX);
	buf_init(&sub_path, PATH_LEN_MAX + 8);
	buf_init(&name, (size_t)PATH_LEN_MAX * 2);
	root_fd = fd;
	root_errno = errnum;
	root_path = root;
	follow = links;
}

const char *
box_name(struct span mailbox)
{
	buf_clear(&name);
	if (mailbox.n == 0 || mailbox.p[0] != '/') {
		buf_safe(&name, root_path);
		buf_char(&name, '/');
	}
	buf_safe(&name, mailbox);
	return buf_cstr(&name) == NULL ? "a mailbox" : buf_cstr(&name);
}

static int64_t
seconds(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime");
	return (int64_t)ts.tv_sec;
}

/* The descriptor of where/sub, or -1. */
static int
open_sub(const char *where, const char *sub)
{
	const char *whole;

	buf_clear(&sub_path);
	buf_str(&sub_path, where);
	buf_char(&sub_path, '/');
	buf_str(&sub_path, sub);
	whole = buf_cstr(&sub_path);
	if (whole == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return os_opendir_below(root_fd, whole, follow);
}

static void
box_close(struct box *b)
{
	fd_close(&b->dir_fd);
	fd_close(&b->new_fd);
	fd_close(&b->tmp_fd);
	free(b->path);
	*b = (struct box){ .dir_fd = -1, .new_fd = -1, .tmp_fd = -1 };
}

void
box_forget(struct box *b)
{
	int saved = errno;

	box_close(b);
	errno = saved;
}

/* Likewise, after making the Maildir if it is not there. */
static int
open_or_make(const char *where, const char *sub)
{
	int fd;

	fd = open_sub(where, sub);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (maildir_make(root_fd, where, follow) == -1)
		return -1;
	return open_sub(where, sub);
}

static int
box_open(struct box *b, const char *where)
{
	struct stat st;

	b->new_fd = open_or_make(where, "new");
	if (b->new_fd == -1)
		goto fail;
	b->tmp_fd = open_or_make(where, "tmp");
	if (b->tmp_fd == -1 || fstat(b->new_fd, &st) == -1)
		goto fail;
	b->dir_fd = os_opendir_below(root_fd, where, follow);
	if (b->dir_fd == -1)
		goto fail;
	b->dev = st.st_dev;
	b->ino = st.st_ino;
	b->checked = seconds();
	b->path = xstrdup(where);
	return 0;
fail:
	box_forget(b);
	return -1;
}

/* Is b still what its name says? */
static bool
box_current(struct box *b)
{
	struct stat st;
	int64_t now = seconds();
	int fd;

	if (now - b->checked < CHECK_EVERY)
		return true;
	fd = open_sub(b->path, "new");
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == -1)
		st = (struct stat){ 0 };
	fd_close(&fd);
	b->checked = now;
	return st.st_dev == b->dev && st.st_ino == b->ino;
}

/* The one that has path, else a free one, else the oldest not in use. */
static struct box *
box_find(struct span where)
{
	struct box *b, *best = NULL;
	size_t i;

	for (i = 0; i < BOX_MAX; i++) {
		b = &boxes[i];
		if (b->path != NULL && span_eq(span_str(b->path), where))
			return b;
		if (!b->pinned && (best == NULL || b->used < best->used))
			best = b;
	}
	assert(best != NULL); /* the batch is smaller than BOX_MAX */
	box_close(best);
	return best;
}

struct box *
box_get(struct span mailbox)
{
	struct box *b;

	if (root_fd == -1) {
		errno = root_errno;
		return NULL;
	}
	if (maildir_below(root_path, mailbox, &path) == -1)
		return NULL;
	b = box_find(buf_get(&path));
	if (b->path != NULL && !b->pinned && !box_current(b))
		box_close(b);
	if (b->path == NULL && box_open(b, buf_cstr(&path)) == -1)
		return NULL;
	b->used = ++uses;
	return b;
}

void
box_unpin(void)
{
	size_t i;

	for (i = 0; i < BOX_MAX; i++) {
		boxes[i].pinned = false;
		boxes[i].synced = 0;
		boxes[i].told = false;
	}
}

void
box_sync(void)
{
	struct box *b;
	size_t i;

	for (i = 0; i < BOX_MAX; i++) {
		b = &boxes[i];
		if (b->pinned && fsync(b->new_fd) == -1)
			b->synced = errno;
	}
}
