/*
 * map: compiled maps. Reading is a look-up in a mapping, no system call.
 * Writing goes to NAME.tmp beside the map, which is locked while it is
 * written, then fsync, rename, fsync of the directory: readers see the old
 * map or the new one.
 */
#include "lib/map.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/map_cdb.h"

struct map { /* one kind so far; a second gets a table here */
	void *cdb;
	bool complained; /* about a row */
};

struct map_writer {
	char *path, *tmp;
	int fd;
	void *cdb;
	bool bad; /* sticky: some map_put failed */
};

struct map *
map_open(int fd)
{
	struct map *m = NULL;
	void *cdb = map_cdb_open(fd);

	if (cdb != NULL) {
		m = xcalloc(1, sizeof(*m));
		m->cdb = cdb;
	}
	fd_close(&fd); /* the mapping needs it no more */
	return m;
}

void
map_close(struct map *m)
{
	if (m == NULL)
		return;
	map_cdb_close(m->cdb);
	free(m);
}

void
map_replace(struct map **map, int fd, const char *name)
{
	struct map *new = NULL;

	if (fd != -1 && (new = map_open(fd)) == NULL) {
		log_begin(LL_ERROR, "map");
		log_str("name", name);
		log_str("why", "damaged; the old one stays");
		log_end();
		return;
	}
	map_close(*map);
	*map = new;
}

enum map_got
map_get(struct map *m, struct span key, struct span *value)
{
	if (m == NULL || key.n > MAP_KEY_MAX)
		return MAP_NONE; /* no such key was ever put */
	return map_cdb_get(m->cdb, key, value);
}

void
map_row_bad(struct map *m, const char *name, struct span key,
    const char *counts_as)
{
	if (m->complained)
		return;
	m->complained = true;
	log_begin(LL_ERROR, "map");
	log_str("name", name);
	log_span("row", key);
	log_str("why", "damaged row; compile the map again");
	log_str("what", counts_as);
	log_end();
}

/* Opens and locks the temporary file, whoever may have left it. */
static int
tmp_open(const char *tmp, unsigned mode)
{
	struct stat here, there;
	int fd;

	fd = open(tmp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
	    0600);
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 || fstat(fd, &here) == -1 ||
	    !S_ISREG(here.st_mode))
		goto bad;
	/* Did its last writer rename it between open and lock? */
	if (lstat(tmp, &there) == -1 || here.st_ino != there.st_ino ||
	    here.st_dev != there.st_dev) {
		errno = EWOULDBLOCK;
		goto bad;
	}
	if (ftruncate(fd, 0) == -1 || fchmod(fd, (mode_t)mode) == -1)
		goto bad;
	return fd;
bad:
	fd_close(&fd);
	return -1;
}

static void
writer_free(struct map_writer *w)
{
	fd_close(&w->fd);
	free(w->path);
	free(w->tmp);
	free(w);
}

struct map_writer *
map_create(const char *path, unsigned mode)
{
	struct map_writer *w = xcalloc(1, sizeof(*w));
	struct buf tmp;

	buf_init(&tmp, PATH_LEN_MAX);
	buf_str(&tmp, path);
	buf_str(&tmp, ".tmp");
	w->fd = -1;
	w->path = xstrdup(path);
	if (buf_cstr(&tmp) != NULL) {
		w->tmp = xstrdup(buf_cstr(&tmp));
		w->fd = tmp_open(w->tmp, mode);
	} else {
		errno = ENAMETOOLONG;
	}
	buf_fini(&tmp);
	if (w->fd != -1)
		w->cdb = map_cdb_create(w->fd);
	if (w->cdb == NULL) {
		writer_free(w);
		return NULL;
	}
	return w;
}

int
map_put(struct map_writer *w, struct span key, struct span value)
{
	if (key.n > MAP_KEY_MAX || value.n > MAP_VALUE_MAX) {
		errno = E2BIG;
		w->bad = true;
		return -1;
	}
	if (map_cdb_put(w->cdb, key, value) == -1) {
		w->bad = true;
		return -1;
	}
	return 0;
}

static int
dir_sync(const char *path)
{
	char *copy = xstrdup(path);
	int rc = -1, fd;

	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		rc = fsync(fd);
	fd_close(&fd);
	free(copy);
	return rc;
}

int
map_commit(struct map_writer *w)
{
	int rc = -1;

	if (w->bad) {
		map_abort(w);
		errno = EIO;
		return -1;
	}
	if (map_cdb_finish(w->cdb) == -1 || fsync(w->fd) == -1 ||
	    rename(w->tmp, w->path) == -1) {
		int saved = errno;

		(void)unlink(w->tmp);
		errno = saved;
	} else {
		rc = dir_sync(w->path);
	}
	writer_free(w);
	return rc;
}

void
map_abort(struct map_writer *w)
{
	if (w == NULL)
		return;
	map_cdb_abort(w->cdb);
	(void)unlink(w->tmp);
	writer_free(w);
}
