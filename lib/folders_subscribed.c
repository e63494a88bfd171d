/*
 * folders_subscribed: the file `subscriptions` in the Maildir, one folder a
 * line as its directory is called, without the first dot ("a.b"; INBOX as
 * such), as Dovecot writes it too. Replaced by rename, under the lock of the
 * tree; a name stays when its folder goes (RFC 3501 6.3.6).
 *
 * Dovecot's second version begins with "V\t2" and an empty line; levels are
 * parted by tabs there.
 */
#include "lib/folders_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/hash.h"
#include "lib/limits.h"

#define FILE_NAME SUBSCRIPTIONS
enum { FILE_MAX = (IMAP_FOLDER_NAME_MAX + 1) * IMAP_FOLDERS_MAX };

static int
file_read(struct folders *f, struct buf *b)
{
	enum { PIECE = 16 * 1024 };
	ssize_t n = 0;
	char *p;
	int fd;

	fd = openat(f->fd, FILE_NAME,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	while ((p = buf_room(b, PIECE)) != NULL &&
	    (n = read(fd, p, PIECE)) > 0)
		buf_grew(b, (size_t)n);
	fd_close(&fd);
	return n == -1 ? -1 : 0;
}

/* One line as a name. -1: it is none. */
static int
line_name(struct span line, bool tabs, struct buf *name)
{
	struct buf disk;
	int rc;

	buf_clear(name);
	if (folder_is_inbox(line)) {
		buf_str(name, "INBOX");
		return 0;
	}
	buf_init(&disk, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (!tabs)
		buf_char(&disk, '.');
	for (size_t i = 0; i < line.n; i++)
		buf_char(&disk, tabs && line.p[i] == '\t' ? '/' : line.p[i]);
	if (tabs) {
		buf_span(name, buf_get(&disk));
		rc = folder_name_ok(buf_get(name)) ? 0 : -1;
	} else {
		rc = folder_from_disk(buf_get(&disk), name);
	}
	buf_fini(&disk);
	return rc;
}

int
folders_subscribed(struct folders *f, struct folder_list *l)
{
	struct span rest, line;
	struct buf b, name;
	bool tabs;
	int rc = -1;

	buf_init(&b, FILE_MAX);
	buf_init(&name, PATH_LEN_MAX);
	if (file_read(f, &b) == -1)
		goto out;
	rest = buf_get(&b);
	tabs = span_starts(rest, SPAN("V\t2\n"));
	if (tabs)
		span_line(&rest);
	while (rest.n > 0 && l->n < IMAP_FOLDERS_MAX) {
		line = span_line(&rest);
		if (line.n > 0 && line_name(line, tabs, &name) == 0)
			folder_list_add(l, buf_get(&name));
	}
	folder_list_sort(l);
	rc = 0;
out:
	buf_fini(&b);
	buf_fini(&name);
	return rc;
}

static int
file_write(struct folders *f, struct span content)
{
	uint64_t luck;
	struct buf tmp;
	int fd, rc = -1;

	random_bytes(&luck, sizeof(luck));
	buf_init(&tmp, 64);
	buf_str(&tmp, "tmp/" FILE_NAME ".");
	buf_hex(&tmp, luck, 16);
	fd = openat(f->fd, buf_cstr(&tmp),
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		goto out;
	if (write(fd, content.p, content.n) == (ssize_t)content.n &&
	    fsync(fd) == 0 &&
	    renameat(f->fd, buf_cstr(&tmp), f->fd, FILE_NAME) == 0)
		rc = fsync(f->fd);
	else
		(void)unlinkat(f->fd, buf_cstr(&tmp), 0);
out:
	fd_close(&fd);
	buf_fini(&tmp);
	return rc;
}

static int
list_write(struct folders *f, const struct folder_list *l, struct span but,
    struct span and)
{
	struct buf b, disk;
	int rc = -1;

	buf_init(&b, FILE_MAX);
	buf_init(&disk, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	for (size_t i = 0; i <= l->n; i++) {
		struct span name = i < l->n ? span_str(l->name[i]) : and;

		if (name.n == 0 || span_eq(name, but) ||
		    folder_disk(name, &disk) == -1)
			continue;
		if (disk.n == 1)
			buf_str(&b, "INBOX");
		else
			buf_span(&b, span_slice(buf_get(&disk), 1, disk.n));
		buf_char(&b, '\n');
	}
	if (b.bad)
		errno = EDQUOT;
	else
		rc = file_write(f, buf_get(&b));
	buf_fini(&b);
	buf_fini(&disk);
	return rc;
}

int
folders_subscriptions_write(struct folders *f, const struct folder_list *l)
{
	return list_write(f, l, SPAN_NONE, SPAN_NONE);
}

int
folder_subscribe(struct folders *f, struct span name, bool on)
{
	struct folder_list l = { 0 };
	int lock, rc = -1;
	bool has;

	if (!folder_name_ok(name)) {
		errno = EINVAL;
		return -1;
	}
	if (folder_is_inbox(name))
		name = SPAN("INBOX");
	lock = folders_lock(f);
	if (lock == -1 || folders_subscribed(f, &l) == -1)
		goto out;
	has = folder_list_has(&l, name);
	if (has == on)
		rc = 0;
	else if (on && l.n >= IMAP_FOLDERS_MAX)
		errno = EDQUOT;
	else
		rc = list_write(f, &l, on ? SPAN_NONE : name,
		    on ? name : SPAN_NONE);
out:
	fd_close(&lock);
	folder_list_fini(&l);
	return rc;
}
