/* text_map: line by line. Values may be secrets: they are wiped. */
#include "lib/text_map.h"

#include <string.h>

#include "lib/limits.h"
#include "lib/text.h"

int
text_map_read(text_line_fn *take, struct span text, const char *name,
    map_row_fn *fn, void *arg, struct buf *err)
{
	struct text_seen seen = { 0 };
	struct buf key, value;
	struct text t;
	struct span line;
	size_t before;
	int rc = 0;

	text_init(&t, text, name, false, err);
	buf_init(&key, MAP_KEY_MAX);
	buf_init(&value, MAP_VALUE_MAX);
	while (rc == 0 && text_next(&t, &line)) {
		buf_clear(&key);
		buf_clear(&value);
		if (take(&t, line, &key, &value) == -1)
			continue;
		if (key.bad || value.bad)
			text_complain(&t, "too long; shorten it");
		else if ((before = text_seen_add(
			      &seen, buf_get(&key), t.line)) != 0)
			text_complain(&t, "line %zu is about the same; keep "
			    "one of them", before);
		else
			rc = fn(arg, buf_get(&key), buf_get(&value), t.line);
	}
	if (t.problems != 0)
		rc = -1;
	text_seen_fini(&seen);
	text_fini(&t);
	buf_fini(&key);
	if (value.p != NULL)
		explicit_bzero(value.p, value.cap);
	buf_fini(&value);
	return rc;
}
