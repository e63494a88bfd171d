/*
 * map_cdb: the one door to tinycdb. A file is believed only if its table of
 * contents fits it exactly: 256 pairs (position, slots) that follow each
 * other up to the last byte. A file that was cut is found by that; one that
 * was changed inside cannot make a look-up leave the mapping, as tinycdb
 * checks each position against the size.
 */
#include "lib/map_cdb.h"

#include <cdb.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/die.h"
#include "lib/limits.h"

enum { CDB_TABLES = 256, CDB_TOC = CDB_TABLES * 8, CDB_SLOT = 8 };

struct map_cdb {
	struct cdb cdb;
	bool made; /* cdb was initialised */
};

static int
toc_check(const struct cdb *c)
{
	const unsigned char *toc = c->cdb_mem;
	uint64_t pos, slots, end = 0;

	if (c->cdb_fsize < CDB_TOC)
		return -1;
	for (unsigned i = 0; i < CDB_TABLES; i++) {
		pos = cdb_unpack(toc + i * 8);
		slots = cdb_unpack(toc + i * 8 + 4);
		if (pos < CDB_TOC || (end != 0 && pos != end))
			return -1;
		end = pos + slots * CDB_SLOT;
		if (end > c->cdb_fsize)
			return -1;
	}
	return end == c->cdb_fsize ? 0 : -1;
}

void *
map_cdb_open(int fd)
{
	struct map_cdb *m = xcalloc(1, sizeof(*m));

	if (cdb_init(&m->cdb, fd) < 0)
		goto bad;
	m->made = true;
	if (toc_check(&m->cdb) == -1) {
		errno = EINVAL;
		goto bad;
	}
	return m;
bad:
	if (errno == EPROTO || errno == 0)
		errno = EINVAL;
	map_cdb_close(m);
	return NULL;
}

void
map_cdb_close(void *of)
{
	struct map_cdb *m = of;
	int saved = errno;

	if (m != NULL && m->made)
		cdb_free(&m->cdb);
	free(m);
	errno = saved;
}

enum map_got
map_cdb_get(void *of, struct span key, struct span *value)
{
	struct map_cdb *m = of;
	const void *p;
	int got;

	got = cdb_find(&m->cdb, key.p, (unsigned)key.n);
	if (got == 0)
		return MAP_NONE;
	if (got < 0 || cdb_datalen(&m->cdb) > MAP_VALUE_MAX)
		return MAP_ERROR;
	p = cdb_getdata(&m->cdb);
	if (p == NULL)
		return MAP_ERROR;
	*value = span_of(p, cdb_datalen(&m->cdb));
	return MAP_FOUND;
}

void *
map_cdb_create(int fd)
{
	struct cdb_make *w = xcalloc(1, sizeof(*w));

	if (cdb_make_start(w, fd) < 0) {
		free(w);
		return NULL;
	}
	return w;
}

int
map_cdb_put(void *of, struct span key, struct span value)
{
	return cdb_make_add(of, key.p, (unsigned)key.n, value.p,
	    (unsigned)value.n) < 0 ? -1 : 0;
}

int
map_cdb_finish(void *of)
{
	int rc = cdb_make_finish(of) < 0 ? -1 : 0;

	free(of);
	return rc;
}

void
map_cdb_abort(void *of)
{
	struct cdb_make *w = of;

	/* tinycdb frees its tables only in finish; then fd is thrown away */
	(void)cdb_make_finish(w);
	free(w);
}
