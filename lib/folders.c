/*
 * folders: what is there. A folder is a directory ".a.b" in the Maildir with
 * a cur/ in it; a level above that has no directory of its own is told as one
 * that cannot be selected.
 *
 * Special use (RFC 6154) is what the file USE_NAME in the folder says; else,
 * for a use that no folder has, the first folder with one of the usual names.
 */
#include "lib/folders_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/folders_use.h"
#include "lib/limits.h"
#include "lib/lock.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

struct folders *
folders_new(int maildir_fd)
{
	struct folders *f = xcalloc(1, sizeof(*f));

	f->fd = maildir_fd;
	return f;
}

void
folders_free(struct folders *f)
{
	free(f);
}

int
folders_lock(struct folders *f)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1 && lock_wait(fd, MAILBOX_LOCK_MS) == -1)
		fd_close(&fd);
	return fd;
}

bool
folder_exists(struct folders *f, const char *disk)
{
	struct stat st;
	struct buf b;
	bool is;

	buf_init(&b, PATH_LEN_MAX);
	buf_str(&b, disk);
	is = buf_cstr(&b) != NULL &&
	    fstatat(f->fd, buf_cstr(&b), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
	buf_str(&b, "/cur");
	is = is && buf_cstr(&b) != NULL &&
	    fstatat(f->fd, buf_cstr(&b), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
	buf_fini(&b);
	return is;
}

int
folders_list(struct folders *f, struct folder_list *l)
{
	struct dirent *e;
	struct buf name;
	DIR *d;
	int fd;

	fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		fd_close(&fd);
		return -1;
	}
	buf_init(&name, PATH_LEN_MAX);
	while (l->n < IMAP_FOLDERS_MAX && (e = readdir(d)) != NULL)
		if (e->d_name[0] == '.' &&
		    folder_from_disk(span_str(e->d_name), &name) == 0 &&
		    folder_exists(f, e->d_name))
			folder_list_add(l, buf_get(&name));
	closedir(d);
	buf_fini(&name);
	folder_list_sort(l);
	return 0;
}

int
folder_open(struct folders *f, struct span name)
{
	struct buf b;
	int fd = -1;

	buf_init(&b, (size_t)IMAP_FOLDER_NAME_MAX * 2);
	if (folder_disk(name, &b) == -1) {
		errno = ENOENT;
	} else if (b.n > 1 && !folder_exists(f, buf_cstr(&b))) {
		errno = ENOENT;
	} else {
		fd = openat(f->fd, buf_cstr(&b), OPEN_DIR);
	}
	buf_fini(&b);
	return fd;
}

/* Levels above that are no folders themselves. */
static void
add_parents(const struct folder_list *l, struct folder_list *all)
{
	struct span name;

	for (size_t i = 0; i < l->n; i++) {
		name = span_str(l->name[i]);
		folder_list_add(all, name);
		while (span_has(name, '/')) {
			name = span_slice(name, 0, span_rfind(name, '/'));
			if (!folder_is_inbox(name))
				folder_list_add(all, name);
		}
	}
	folder_list_sort(all);
}

struct each {
	const struct folder_list *there, *subscribed;
	struct folder_uses uses;
	void (*fn)(void *arg, struct span name, unsigned attrs);
	void *arg;
};

static void
each_one(const struct each *e, struct span name, struct span next)
{
	unsigned attrs = 0;
	bool inbox = folder_is_inbox(name);

	if (!inbox && !folder_list_has(e->there, name))
		attrs |= folder_below(next, name) ? FA_NOSELECT : FA_MISSING;
	if (folder_below(next, name))
		attrs |= FA_CHILDREN;
	if (folder_list_has(e->subscribed, name))
		attrs |= FA_SUBSCRIBED;
	if ((attrs & (FA_NOSELECT | FA_MISSING)) == 0 && !inbox)
		attrs |= folder_use(&e->uses, name);
	e->fn(e->arg, name, attrs);
}

/* Does any folder below INBOX exist? They come where "INBOX" sorts. */
static struct span
below_inbox(const struct folder_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (folder_below(span_str(l->name[i]), SPAN("INBOX")))
			return span_str(l->name[i]);
	return SPAN_NONE;
}

int
folders_each(struct folders *f, bool subscribed,
    void (*fn)(void *arg, struct span name, unsigned attrs), void *arg)
{
	struct folder_list there = { 0 }, sub = { 0 }, all = { 0 };
	struct each e = { .there = &there, .subscribed = &sub, .fn = fn,
		.arg = arg };
	int rc = -1;

	if (folders_list(f, &there) == -1 || folders_subscribed(f, &sub) == -1)
		goto out;
	add_parents(&there, &all);
	for (size_t i = 0; subscribed && i < sub.n; i++)
		if (!folder_is_inbox(span_str(sub.name[i])))
			folder_list_add(&all, span_str(sub.name[i]));
	folder_list_sort(&all);
	folder_uses_load(f, &there, &e.uses);
	each_one(&e, SPAN("INBOX"), below_inbox(&all));
	for (size_t i = 0; i < all.n; i++)
		each_one(&e, span_str(all.name[i]),
		    i + 1 < all.n ? span_str(all.name[i + 1]) : SPAN_NONE);
	folder_uses_fini(&e.uses);
	rc = 0;
out:
	folder_list_fini(&there);
	folder_list_fini(&sub);
	folder_list_fini(&all);
	return rc;
}
