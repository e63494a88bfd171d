/*
 * folders_first: the folders of an owner who never had any. Who has a folder,
 * or the file of subscriptions, is left alone for ever: what somebody has
 * removed does not come back. The file is written last.
 */
#include "lib/folders_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/die.h"

static bool
is_there(struct folders *f, const char *name)
{
	struct stat st;

	return fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT;
}

static bool
has_folders(struct folders *f)
{
	struct folder_list l = { 0 };
	bool has = folders_list(f, &l) == -1 || l.n > 0;

	folder_list_fini(&l);
	return has;
}

/* Another session of the same owner may have begun, too. */
static int
subscribe(struct folders *f, const struct folder_list *l)
{
	int rc = 0, lock = folders_lock(f);

	if (lock == -1)
		return -1;
	if (!is_there(f, SUBSCRIPTIONS))
		rc = folders_subscriptions_write(f, l);
	fd_close(&lock);
	return rc;
}

int
folders_first(struct folders *f, char *const *name, size_t n)
{
	struct folder_list l = { 0 };
	int rc = -1;

	if (n == 0 || is_there(f, SUBSCRIPTIONS) || has_folders(f))
		return 0;
	folder_list_add(&l, SPAN("INBOX"));
	for (size_t i = 0; i < n; i++) {
		folder_list_add(&l, span_str(name[i]));
		if (folder_create(f, span_str(name[i]), 0) == -1 &&
		    errno != EEXIST)
			goto out;
	}
	folder_list_sort(&l);
	rc = subscribe(f, &l);
out:
	folder_list_fini(&l);
	return rc;
}
