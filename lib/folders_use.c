/*
 * folders_use: USE_NAME in a folder's directory holds one word of the table
 * and LF; it moves and dies with the folder.
 */
#include "lib/folders_use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"

#define USE_NAME "postern.use"

enum { USUAL_NAMES = 3 };

static const struct use {
	const char *word;
	unsigned attr;
	const char *usual[USUAL_NAMES]; /* what clients call it, best first */
} uses[FOLDER_USES] = {
	{ "Drafts", FA_DRAFTS, { "Drafts" } },
	{ "Sent", FA_SENT, { "Sent", "Sent Items", "Sent Messages" } },
	{ "Trash", FA_TRASH,
	    { "Trash", "Deleted Items", "Deleted Messages" } },
	{ "Junk", FA_JUNK, { "Junk", "Spam", "Junk E-mail" } },
	{ "Archive", FA_ARCHIVE, { "Archive", "Archives" } },
	{ "All", FA_ALL, { NULL } },
	{ "Flagged", FA_FLAGGED, { NULL } },
};

static int
use_read(struct folders *f, struct span name)
{
	struct span line;
	struct buf path;
	char text[32];
	ssize_t n = -1;
	int fd;

	buf_init(&path, PATH_LEN_MAX);
	if (folder_disk(name, &path) == -1)
		goto out;
	buf_str(&path, "/" USE_NAME);
	if (buf_cstr(&path) == NULL)
		goto out;
	fd = openat(f->fd, buf_cstr(&path),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1)
		n = read(fd, text, sizeof(text));
	fd_close(&fd);
out:
	buf_fini(&path);
	if (n <= 0)
		return -1;
	line = span_of(text, (size_t)n);
	line = span_line(&line);
	for (int i = 0; i < FOLDER_USES; i++)
		if (span_eq(line, span_str(uses[i].word)))
			return i;
	return -1;
}

static void
by_name(const struct folder_list *l, const char *usual,
    struct folder_list *out)
{
	for (size_t i = 0; i < l->n && out->n == 0; i++)
		if (span_ieq(span_str(l->name[i]), span_str(usual)))
			folder_list_add(out, span_str(l->name[i]));
}

void
folder_uses_load(struct folders *f, const struct folder_list *l,
    struct folder_uses *out)
{
	*out = (struct folder_uses){ 0 };
	for (size_t i = 0; i < l->n; i++) {
		int use = use_read(f, span_str(l->name[i]));

		if (use != -1)
			folder_list_add(&out->by_use[use],
			    span_str(l->name[i]));
	}
	for (size_t k = 0; k < FOLDER_USES; k++)
		for (size_t i = 0; i < USUAL_NAMES && uses[k].usual[i] != NULL &&
		     out->by_use[k].n == 0; i++)
			by_name(l, uses[k].usual[i], &out->by_use[k]);
}

void
folder_uses_fini(struct folder_uses *u)
{
	for (size_t k = 0; k < FOLDER_USES; k++)
		folder_list_fini(&u->by_use[k]);
}

unsigned
folder_use(const struct folder_uses *u, struct span name)
{
	unsigned attrs = 0;

	for (size_t k = 0; k < FOLDER_USES; k++)
		if (folder_list_has(&u->by_use[k], name))
			attrs |= uses[k].attr;
	return attrs;
}

int
folder_use_write(int dirfd, unsigned use)
{
	struct buf b;
	int fd, rc = -1;

	for (size_t k = 0; k < FOLDER_USES; k++) {
		if (uses[k].attr != use)
			continue;
		fd = openat(dirfd, USE_NAME,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd == -1)
			return -1;
		buf_init(&b, 32);
		buf_str(&b, uses[k].word);
		buf_char(&b, '\n');
		if (write(fd, b.p, b.n) == (ssize_t)b.n && fsync(fd) == 0)
			rc = 0;
		buf_fini(&b);
		fd_close(&fd);
		return rc;
	}
	errno = EINVAL;
	return -1;
}
