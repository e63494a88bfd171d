/*
 * folders_change: folders are made, removed, renamed.
 *
 * - a folder is there when its cur/ is; what a crash leaves without one is
 *   no folder, and making it again goes on where that ended
 * - one that is removed first gets a name in tmp/ that is nobody's; what a
 *   crash leaves there is removed with the next folder
 * - a rename checks every name before it moves the first directory, and
 *   moves back if one cannot be moved
 */
#include "lib/folders_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/folders_use.h"
#include "lib/hash.h"
#include "lib/limits.h"
#include "lib/mailbox.h"
#include "lib/maildir.h"

#define TRASH_PREFIX "removed."
enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };
enum { TRASH_DEPTH = 8 };

static int
create_one(struct folders *f, const char *disk, unsigned use)
{
	int fd = -1, mark = -1, rc = -1;

	if (mkdirat(f->fd, disk, 0700) == -1 && errno != EEXIST)
		return -1;
	fd = openat(f->fd, disk, OPEN_DIR);
	if (fd == -1)
		return -1;
	mark = openat(fd, "maildirfolder",
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (mark == -1 || (use != 0 && folder_use_write(fd, use) == -1) ||
	    maildir_make(fd, "", false) == -1 || fsync(fd) == -1 ||
	    fsync(f->fd) == -1)
		goto out;
	rc = 0;
out:
	fd_close(&mark);
	fd_close(&fd);
	return rc;
}

static int
create_with_parents(struct folders *f, struct span name, unsigned use)
{
	struct folder_list there = { 0 };
	struct span part;
	struct buf b;
	size_t end = 0;
	int rc = -1;

	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folders_list(f, &there) == -1)
		goto out;
	if (there.n + IMAP_FOLDER_DEPTH_MAX > IMAP_FOLDERS_MAX) {
		errno = EDQUOT;
		goto out;
	}
	do {
		end += 1 + span_find(span_slice(name, end + 1, name.n), '/');
		part = span_slice(name, 0, end);
		if (folder_disk(part, &b) == -1)
			goto out;
		if (b.n == 1 || folder_exists(f, buf_cstr(&b)))
			continue;
		if (create_one(f, buf_cstr(&b), end >= name.n ? use : 0) == -1)
			goto out;
	} while (end < name.n);
	rc = 0;
out:
	folder_list_fini(&there);
	buf_fini(&b);
	return rc;
}

int
folder_create(struct folders *f, struct span name, unsigned use)
{
	struct buf b;
	int lock = -1, rc = -1;

	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folder_disk(name, &b) == -1)
		goto out;
	lock = folders_lock(f);
	if (lock == -1)
		goto out;
	if (b.n == 1 || folder_exists(f, buf_cstr(&b)))
		errno = EEXIST;
	else
		rc = create_with_parents(f, name, use);
out:
	fd_close(&lock);
	buf_fini(&b);
	return rc;
}

/* Everything in the open directory; takes fd. Links are not followed. */
static void
empty_dir(int fd, unsigned depth)
{
	struct dirent *e;
	DIR *d = fdopendir(fd);
	int sub;

	if (d == NULL) {
		fd_close(&fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0 || depth == TRASH_DEPTH)
			continue;
		sub = openat(fd, e->d_name, OPEN_DIR);
		if (sub != -1)
			empty_dir(sub, depth + 1);
		(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

/* What was put away, now or before a crash. */
static void
trash_empty(struct folders *f)
{
	struct dirent *e;
	DIR *d;
	int tmp, fd;

	tmp = openat(f->fd, "tmp", OPEN_DIR);
	d = tmp == -1 ? NULL : fdopendir(tmp);
	if (d == NULL) {
		fd_close(&tmp);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (!span_starts(span_str(e->d_name), SPAN(TRASH_PREFIX)))
			continue;
		fd = openat(tmp, e->d_name, OPEN_DIR);
		if (fd == -1)
			continue;
		empty_dir(fd, 0);
		(void)unlinkat(tmp, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static int
put_away(struct folders *f, const char *disk)
{
	uint64_t luck;
	struct buf to;
	int rc;

	random_bytes(&luck, sizeof(luck));
	buf_init(&to, 64);
	buf_str(&to, "tmp/" TRASH_PREFIX);
	buf_hex(&to, luck, 16);
	rc = renameat(f->fd, disk, f->fd, buf_cstr(&to));
	if (rc == 0)
		rc = fsync(f->fd);
	buf_fini(&to);
	return rc;
}

/* Is there one below it? */
static bool
has_children(struct folders *f, struct span name)
{
	struct folder_list l = { 0 };
	bool has = false;

	if (folders_list(f, &l) == 0)
		for (size_t i = 0; i < l.n; i++)
			has = has || folder_below(span_str(l.name[i]), name);
	folder_list_fini(&l);
	return has;
}

int
folder_delete(struct folders *f, struct span name)
{
	struct buf b;
	int lock = -1, rc = -1;

	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folder_disk(name, &b) == -1) {
		errno = ENOENT;
		goto out;
	}
	if (b.n == 1) {
		errno = EPERM;
		goto out;
	}
	lock = folders_lock(f);
	if (lock == -1)
		goto out;
	if (folder_exists(f, buf_cstr(&b)))
		rc = put_away(f, buf_cstr(&b));
	else
		errno = has_children(f, name) ? ENOTEMPTY : ENOENT;
	if (rc == 0)
		trash_empty(f);
out:
	fd_close(&lock);
	buf_fini(&b);
	return rc;
}

struct moves {
	struct buf from, to; /* names on disk, terminated, in order */
	size_t n;
};

/* One directory more, if it belongs to `from`. -1: it cannot be moved. */
static int
moves_add(struct folders *f, struct moves *m, struct span name,
    struct span from, struct span to)
{
	struct buf target, disk;
	int rc = -1;

	buf_init(&target, PATH_LEN_MAX);
	buf_init(&disk, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folder_disk(name, &disk) == -1)
		goto out;
	buf_bytes(&m->from, buf_cstr(&disk), disk.n + 1);
	buf_span(&target, to);
	buf_span(&target, span_slice(name, from.n, name.n));
	if (folder_disk(buf_get(&target), &disk) == -1)
		goto out;
	if (folder_exists(f, buf_cstr(&disk))) {
		errno = EEXIST;
		goto out;
	}
	buf_bytes(&m->to, buf_cstr(&disk), disk.n + 1);
	m->n++;
	rc = 0;
out:
	buf_fini(&target);
	buf_fini(&disk);
	return rc;
}

static int
moves_run(struct folders *f, const struct moves *m)
{
	struct span from = buf_get(&m->from), to = buf_get(&m->to), a, b;
	size_t done;
	int saved;

	for (done = 0; done < m->n; done++) {
		a = span_cut(&from, '\0');
		b = span_cut(&to, '\0');
		if (renameat(f->fd, a.p, f->fd, b.p) == -1)
			break;
	}
	if (done == m->n)
		return fsync(f->fd);
	saved = errno;
	from = buf_get(&m->from);
	to = buf_get(&m->to);
	while (done-- > 0) {
		a = span_cut(&from, '\0');
		b = span_cut(&to, '\0');
		(void)renameat(f->fd, b.p, f->fd, a.p);
	}
	errno = saved;
	return -1;
}

static int
rename_tree(struct folders *f, struct span from, struct span to)
{
	struct folder_list l = { 0 };
	struct moves m = { 0 };
	struct span name;
	int rc = -1;

	buf_init(&m.from, (size_t)IMAP_FOLDERS_MAX * 256);
	buf_init(&m.to, (size_t)IMAP_FOLDERS_MAX * 256);
	if (folders_list(f, &l) == -1)
		goto out;
	for (size_t i = 0; i < l.n; i++) {
		name = span_str(l.name[i]);
		if ((span_eq(name, from) || folder_below(name, from)) &&
		    moves_add(f, &m, name, from, to) == -1)
			goto out;
	}
	if (m.n == 0) {
		errno = ENOENT;
		goto out;
	}
	if (span_has(to, '/') &&
	    create_with_parents(f, span_slice(to, 0, span_rfind(to, '/')),
		0) == -1)
		goto out;
	rc = moves_run(f, &m);
out:
	folder_list_fini(&l);
	buf_fini(&m.from);
	buf_fini(&m.to);
	return rc;
}

static int
move_all(struct mailbox *from, struct mailbox *to)
{
	uint32_t n = mailbox_count(from), *v;
	int rc;

	v = xreallocarray(NULL, (size_t)n * 3 + 1, sizeof(*v));
	for (uint32_t i = 0; i < n; i++)
		v[i] = i + 1;
	rc = n == 0 ? 0 :
		      mailbox_copy(from, v, n, to, true, v + n,
			  v + (size_t)n * 2);
	free(v);
	return rc;
}

/* INBOX stays; its messages move. */
static int
rename_inbox(struct folders *f, struct span to)
{
	struct mailbox *a = NULL, *b = NULL;
	int fd, rc = -1;

	if (create_with_parents(f, to, 0) == -1)
		return -1;
	fd = folder_open(f, SPAN("INBOX"));
	a = fd == -1 ? NULL : mailbox_open(fd, false);
	fd = a == NULL ? -1 : folder_open(f, to);
	b = fd == -1 ? NULL : mailbox_open(fd, false);
	if (b != NULL)
		rc = move_all(a, b);
	mailbox_close(a);
	mailbox_close(b);
	return rc;
}

int
folder_rename(struct folders *f, struct span from, struct span to)
{
	struct buf a, b;
	int lock = -1, rc = -1;

	buf_init(&a, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folder_disk(from, &a) == -1) {
		errno = ENOENT;
		goto out;
	}
	if (folder_disk(to, &b) == -1)
		goto out;
	lock = folders_lock(f);
	if (lock == -1)
		goto out;
	if (b.n == 1 || folder_exists(f, buf_cstr(&b)))
		errno = EEXIST;
	else if (a.n == 1)
		rc = rename_inbox(f, to);
	else if (folder_below(to, from) || span_eq(from, to))
		errno = EINVAL;
	else
		rc = rename_tree(f, from, to);
out:
	fd_close(&lock);
	buf_fini(&a);
	buf_fini(&b);
	return rc;
}
