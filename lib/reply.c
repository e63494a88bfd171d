/* reply: the sentinel, and owned copies of what others said. */
#include "lib/reply.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/chars.h"

const struct reply R_PENDING = { 0, "", "" };

/* RFC 3463 2: class "." subject "." detail; anything else is left out. */
static bool
is_enhanced(struct span s)
{
	struct span class = span_cut(&s, '.');
	struct span subject = span_cut(&s, '.');
	uint64_t v;

	return class.n == 1 && strchr("245", class.p[0]) != NULL &&
	    subject.n <= 3 && span_num(subject, 0, 999, &v) == 0 &&
	    s.n <= 3 && span_num(s, 0, 999, &v) == 0;
}

void
reply_set(struct reply_copy *r, int code, const char *enhanced,
    struct span text)
{
	struct span e = span_str(enhanced), safe;
	struct buf b;

	*r = (struct reply_copy){ .code = code };
	if (is_enhanced(e))
		(void)span_copy(r->enhanced, sizeof(r->enhanced), e);
	/* Safe text is never longer than its source: cut first is enough. */
	buf_init(&b, sizeof(r->text) - 1);
	buf_safe(&b, span_slice(text, 0, sizeof(r->text) - 1));
	safe = buf_get(&b);
	(void)span_copy(r->text, sizeof(r->text), safe);
	buf_fini(&b);
}
