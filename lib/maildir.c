/*
 * maildir: names, creation and cleaning of Maildirs.
 *
 * Invariants: nothing here opens a message; no path is used that has ".",
 * ".." or an empty component; a directory that was created is durable (it
 * and its parent fsynced) before the function returns 0.
 */
#include "lib/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/qid.h"

/* Larger is not a size but a joke, and sums of sizes must not overflow. */
#define SIZE_SANE ((uint64_t)1 << 48)

void
maildir_name_split(struct span name, struct span *base, struct span *flags)
{
	*base = span_cut(&name, ':');
	if (span_starts(name, SPAN("2,")))
		*flags = span_slice(name, 2, name.n);
	else
		*flags = SPAN_NONE;
}

void
maildir_name_parse(struct span name, struct maildir_name *m)
{
	struct span rest, field;

	*m = (struct maildir_name){ 0 };
	maildir_name_split(name, &m->base, &m->flags);
	rest = m->base;
	m->unique = span_cut(&rest, ',');
	while (rest.n > 0) {
		field = span_cut(&rest, ',');
		if (span_starts(field, SPAN("S=")) &&
		    span_num(span_slice(field, 2, field.n), 0, SIZE_SANE,
			&m->size) == 0)
			m->has_size = true;
		if (span_starts(field, SPAN("W=")) &&
		    span_num(span_slice(field, 2, field.n), 0, SIZE_SANE,
			&m->wsize) == 0)
			m->has_wsize = true;
	}
}

uint64_t
maildir_name_time(struct span name)
{
	uint64_t t = 0;

	if (span_num(span_cut(&name, '.'), 0, SIZE_SANE, &t) == -1)
		return 0;
	return t;
}

/* "1700000000.Qqid_0.": see deliver/store.c. Empty: another made it. */
static struct span
name_qid(struct span name)
{
	struct span qid;
	uint64_t n;

	(void)span_cut(&name, '.');
	if (!span_starts(name, SPAN("Q")))
		return SPAN_NONE;
	(void)span_take(&name, 1);
	qid = span_cut(&name, '_');
	return name.n > 0 && qid_parse(qid, &n) == 0 ? qid : SPAN_NONE;
}

void
maildir_qids_add(struct buf *list, struct span name)
{
	struct span qid = name_qid(name), all = buf_get(list);
	const struct span more = SPAN("...");

	if (qid.n == 0 || span_ends(all, more))
		return;
	if (list->n > 0)
		buf_char(list, ' ');
	if (list->n + qid.n + 1 + more.n > LOG_VALUE_MAX - 4)
		qid = more;
	buf_span(list, qid);
}

int
maildir_below(struct span root, struct span mailbox, struct buf *out)
{
	struct span part;
	bool first = true;

	while (root.n > 0 && root.p[root.n - 1] == '/')
		root.n--;
	if (mailbox.n > 0 && mailbox.p[0] == '/') {
		if (!span_starts(mailbox, root) || mailbox.n <= root.n ||
		    mailbox.p[root.n] != '/') {
			errno = EXDEV;
			return -1;
		}
		mailbox = span_slice(mailbox, root.n + 1, mailbox.n);
	}
	buf_clear(out);
	do {
		part = span_cut(&mailbox, '/');
		if (part.n == 0 || span_eq(part, SPAN(".")) ||
		    span_eq(part, SPAN(".."))) {
			errno = EINVAL;
			return -1;
		}
		if (!first)
			buf_char(out, '/');
		buf_span(out, part);
		first = false;
	} while (mailbox.n > 0);
	if (out->bad || buf_cstr(out) == NULL) {
		errno = out->bad ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	return 0;
}

/* An open descriptor of the directory name in dirfd, created if missing. */
static int
make_one(int dirfd, const char *name, bool links)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, fd = -1;

	if (!links)
		flags |= O_NOFOLLOW;
	fd = openat(dirfd, name, flags);
	if (fd != -1 || errno != ENOENT)
		return fd;
	/* Somebody else may create it at the same time: EEXIST is fine. */
	if (mkdirat(dirfd, name, 0700) == -1 && errno != EEXIST)
		return -1;
	fd = openat(dirfd, name, flags);
	if (fd == -1)
		return -1;
	/* The new directory's entry lives in its parent: make that durable. */
	if (fsync(dirfd) == -1)
		fd_close(&fd);
	return fd;
}

static int
make_subdirs(int dirfd)
{
	static const char *const subdirs[] = { "cur", "new", "tmp" };
	size_t i;
	int fd;

	for (i = 0; i < nitems(subdirs); i++) {
		fd = make_one(dirfd, subdirs[i], false);
		if (fd == -1)
			return -1;
		fd_close(&fd);
	}
	return 0;
}

int
maildir_make(int dirfd, const char *path, bool links)
{
	struct span rest = span_str(path), part;
	char name[NAME_MAX + 1];
	int at = dirfd, next = -1, rc = -1;

	while (rest.n > 0) {
		part = span_cut(&rest, '/');
		if (span_copy(name, sizeof(name), part) == -1) {
			errno = ENAMETOOLONG;
			goto out;
		}
		next = make_one(at, name, links);
		if (next == -1)
			goto out;
		if (at != dirfd)
			fd_close(&at);
		at = next;
	}
	rc = make_subdirs(at);
out:
	if (at != dirfd)
		fd_close(&at);
	return rc;
}

void
maildir_sweep(int dirfd, int64_t now)
{
	int fd = openat(
	    dirfd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd == -1)
		return;
	if ((d = fdopendir(fd)) == NULL) {
		fd_close(&fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    !S_ISREG(st.st_mode))
			continue;
		if ((int64_t)st.st_mtime < now - MAILDIR_TMP_AGE)
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}
