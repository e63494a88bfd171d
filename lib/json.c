/* json: RFC 8259 7, 8.1. */
#include "lib/json.h"

void
json_text(struct buf *b, struct span s)
{
	struct buf safe;

	buf_init(&safe, s.n + 1);
	buf_safe(&safe, s);
	buf_char(b, '"');
	for (size_t i = 0; i < safe.n; i++) {
		if (safe.p[i] == '"' || safe.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, safe.p[i]);
	}
	buf_char(b, '"');
	buf_fini(&safe);
}

void
json_pair(struct buf *b, const char *key, const char *text)
{
	buf_fmt(b, ",\"%s\":", key);
	json_text(b, span_str(text));
}
