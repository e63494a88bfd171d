/* mailbox_cache: structure records by uid. Not kept yet. */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/structure.h"

struct mailbox_cache {
	struct buf rec;
};

void
cache_close(struct mailbox *m)
{
	if (m->cache == NULL)
		return;
	buf_fini(&m->cache->rec);
	free(m->cache);
	m->cache = NULL;
}

int
mailbox_structure(struct mailbox *m, uint32_t seq, struct span *rec)
{
	struct stat st;
	struct buf text;
	int fd, rc = -1;

	fd = mailbox_file(m, seq);
	if (fd == -1)
		return -1;
	buf_init(&text, (size_t)1 << 30);
	if (m->cache == NULL) {
		m->cache = xcalloc(1, sizeof(*m->cache));
		buf_init(&m->cache->rec, STRUCTURE_MAX);
	}
	buf_clear(&m->cache->rec);
	if (fstat(fd, &st) == -1 ||
	    read_at(fd, &text, 0, (size_t)st.st_size) == -1)
		goto out;
	structure_make(buf_get(&text), &m->cache->rec);
	*rec = buf_get(&m->cache->rec);
	rc = m->cache->rec.bad ? -1 : 0;
out:
	fd_close(&fd);
	buf_fini(&text);
	return rc;
}
