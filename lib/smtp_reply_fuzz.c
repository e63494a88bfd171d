/*
 * smtp_reply: what hostile servers say, cut into lines as lib/conn.c does.
 * A reply that is whole keeps its bounds and its promises.
 */
#include "lib/smtp_reply.h"

#include <assert.h>
#include <string.h>

#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct smtp_reply *r)
{
	struct span enhanced = span_str(r->enhanced);

	assert(r->code >= 200 && r->code <= 599);
	assert(r->lines <= RELAY_REPLY_LINES_MAX);
	assert(!r->text.bad && r->text.n <= RELAY_REPLY_MAX);
	if (enhanced.n > 0)
		assert(enhanced.p[0] == '0' + r->code / 100 && enhanced.n >= 5);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	enum smtp_reply_got got = REPLY_MORE;
	struct smtp_reply r;

	smtp_reply_init(&r);
	while (in.n > 0 && got != REPLY_BAD) {
		got = smtp_reply_line(&r, span_line(&in));
		if (got != REPLY_BAD)
			check(&r);
		if (got == REPLY_WHOLE)
			smtp_reply_clear(&r);
	}
	smtp_reply_fini(&r);
	return 0;
}
