/*
 * map_text: see the header. The map is replaced only when all of the text
 * was good and every row is on the disk.
 */
#include "lib/map_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/limits.h"
#include "lib/map.h"
#include "lib/text.h"

struct maker {
	struct map_writer *map;
	size_t count;
};

static int
maker_add(void *arg, struct span key, struct span value, size_t line)
{
	struct maker *m = arg;

	(void)line;
	m->count++;
	return map_put(m->map, key, value);
}

int
map_text_compile(const struct conf *c, const char *name, unsigned mode,
    map_reader_fn *read, size_t *count, struct buf *err)
{
	struct maker m = { 0 };
	char path[PATH_LEN_MAX], out[PATH_LEN_MAX];
	size_t told = err->n;
	struct buf text;
	int rc = -1;

	/* map-dir is bounded well below PATH_LEN_MAX */
	(void)snprintf(path, sizeof(path), "%s/%s", c->map_dir, name);
	(void)snprintf(out, sizeof(out), "%s/%s.cdb", c->map_dir, name);
	buf_init(&text, 0);
	if ((access(path, F_OK) == 0 || errno != ENOENT) &&
	    text_load(path, TEXT_FILE_MAX, &text, err) == -1)
		goto out;
	if ((m.map = map_create(out, mode)) == NULL)
		goto out;
	if (read(c, buf_get(&text), path, maker_add, &m, err) == -1) {
		map_abort(m.map);
		goto out;
	}
	if ((rc = map_commit(m.map)) == 0)
		*count = m.count;
out:
	if (rc == -1 && err->n == told)
		buf_fmt(err, "%s: cannot be written: %s; %s\n", out,
		    strerror(errno), errno == EWOULDBLOCK
			? "somebody else is writing it" : "the old map stays");
	buf_fini(&text);
	return rc;
}
