/*
 * addr: hostile paths. What is accepted must be canonical: inside the limits,
 * of allowed bytes, the same when read again with and without brackets, and
 * its parts must be what they say. The first byte is the flags.
 */
#include "lib/addr.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_parts(const struct addr *a, unsigned flags)
{
	struct addr b;
	size_t i;

	assert(a->text.n <= SMTP_PATH_MAX - 2);
	assert(a->local.n <= SMTP_LOCAL_MAX);
	assert(a->domain.n <= SMTP_DOMAIN_MAX);
	assert(utf8_ok(a->text));
	for (i = 0; i < a->text.n; i++)
		assert(char_is(a->text.p[i], CH_PRINT) ||
		    ((flags & ADDR_UTF8) != 0 && (a->text.p[i] & 0x80) != 0));
	for (i = 0; i < a->domain.n; i++)
		assert(a->domain.p[i] == char_lower(a->domain.p[i]));
	if (a->literal)
		assert(addr_literal_ok(a->domain));
	else if (a->domain.n > 0 && (flags & ADDR_UTF8) == 0)
		assert(addr_domain_ok(a->domain));
	if (a->domain.n > 0)
		assert(a->text.n == a->local.n + 1 + a->domain.n);
	else
		assert(a->text.n == a->local.n);
	addr_split(a->text, &b);
	assert(span_eq(a->local, b.local) && span_eq(a->domain, b.domain));
	assert(a->quoted == b.quoted && a->literal == b.literal);
}

/* Its canonical text is a fixed point. */
static void
check_again(struct span text, unsigned flags, bool bare)
{
	struct buf wire, out;
	struct span in;
	struct addr a;

	buf_init(&wire, SMTP_PATH_MAX);
	buf_init(&out, SMTP_PATH_MAX);
	if (!bare)
		buf_char(&wire, '<');
	buf_span(&wire, text);
	if (!bare)
		buf_char(&wire, '>');
	assert(!wire.bad);
	in = buf_get(&wire);
	assert(addr_parse(&in, flags, &out, &a) == 0);
	assert(in.n == 0 && span_eq(a.text, text));
	buf_fini(&wire);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in, all;
	struct buf out;
	struct addr a;
	unsigned flags;

	if (size == 0)
		return 0;
	flags = data[0] & 15;
	all = in = span_of(data + 1, size - 1);
	(void)addr_domain_ok(in);
	(void)addr_literal_ok(in);
	buf_init(&out, SMTP_PATH_MAX);
	if (addr_parse(&in, flags, &out, &a) == 0) {
		assert(span_ends(all, in));
		assert(a.text.n > 0 || (flags & ADDR_NULL_OK) != 0);
		check_parts(&a, flags);
		check_again(a.text, flags, false);
		if (a.text.n > 0)
			check_again(a.text, flags, true);
	} else {
		assert(in.p == all.p && in.n == all.n);
	}
	buf_fini(&out);
	return 0;
}
