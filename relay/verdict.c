/* verdict: from replies and from our own words to results. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/smtp_reply.h"
#include "relay/relay.h"

void
verdict_set(struct verdict *v, int code, const char *enhanced, bool host_down,
    const char *fmt, ...)
{
	va_list ap;
	int n;

	*v = (struct verdict){ .code = code, .host_down = host_down };
	(void)span_copy(v->enhanced, sizeof(v->enhanced), span_str(enhanced));
	va_start(ap, fmt);
	n = vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	v->n = n < 0 ? 0 : (size_t)n < sizeof(v->text) ? (size_t)n :
							 sizeof(v->text) - 1;
}

/* The class of the enhanced code follows that of the code. */
void
verdict_reply(struct verdict *v, const struct smtp_reply *r, int code)
{
	struct span text = span_slice(buf_get(&r->text), 0, sizeof(v->text));

	*v = (struct verdict){ .code = code != 0 ? code : r->code,
		.theirs = true };
	memcpy(v->enhanced, r->enhanced, sizeof(v->enhanced));
	if (v->enhanced[0] == '\0')
		memcpy(v->enhanced, "0.0.0", 6);
	v->enhanced[0] = (char)('0' + v->code / 100);
	v->n = text.n;
	if (text.n > 0)
		memcpy(v->text, text.p, text.n);
}
