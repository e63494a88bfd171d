/*
 * os_file: file system calls that differ between systems.
 *
 * Linux has openat2(2), renameat2(2) and sync_file_range(2). Elsewhere, and
 * where the kernel or the file system says ENOSYS or EINVAL, a walk with
 * O_NOFOLLOW, link(2) plus unlink(2), and nothing do the same work.
 */
#include "lib/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include "lib/die.h"
#include "lib/span.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

/* One component at a time, none of them a link. */
static int
walk(int dirfd, const char *path)
{
	struct span rest = span_str(path), part;
	char name[NAME_MAX + 1];
	int at = dirfd, next;

	do {
		part = span_cut(&rest, '/');
		if (part.n == 0)
			continue;
		if (span_copy(name, sizeof(name), part) == -1) {
			errno = ENAMETOOLONG;
			next = -1;
		} else
			next = openat(at, name, OPEN_DIR | O_NOFOLLOW);
		if (at != dirfd)
			fd_close(&at);
		if (next == -1)
			return -1;
		at = next;
	} while (rest.n > 0);
	if (at == dirfd) /* an empty path is dirfd itself */
		return openat(dirfd, ".", OPEN_DIR);
	return at;
}

#ifdef __linux__
static int
open_below(int dirfd, const char *path, bool links)
{
	struct open_how how = {
		.flags = OPEN_DIR,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
		    (links ? 0 : RESOLVE_NO_SYMLINKS),
	};
	int i, fd = -1;

	/* EAGAIN: somebody renames directories just now. */
	for (i = 0; i < 8 && fd == -1; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd == -1 && errno != EAGAIN && errno != EINTR)
			break;
	}
	return fd;
}
#else
static int
open_below(int dirfd, const char *path, bool links)
{
	(void)dirfd;
	(void)path;
	(void)links;
	errno = ENOSYS;
	return -1;
}
#endif

int
os_opendir_below(int dirfd, const char *path, bool links)
{
	int fd;

	if (path[0] == '\0')
		path = ".";
	fd = open_below(dirfd, path, links);
	if (fd != -1 || errno != ENOSYS)
		return fd;
	if (!links)
		return walk(dirfd, path);
	return openat(dirfd, path, OPEN_DIR); /* the sandbox is the wall */
}

int
os_rename_new(int fromdir, const char *from, int todir, const char *to)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(fromdir, from, todir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -1;
#endif
	if (linkat(fromdir, from, todir, to, 0) == -1)
		return -1;
	/* Both names are one file now: what stays behind in from is litter. */
	(void)unlinkat(fromdir, from, 0);
	return 0;
}

void
os_writeback(int fd)
{
#ifdef SYNC_FILE_RANGE_WRITE
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
	(void)fd;
#endif
}
