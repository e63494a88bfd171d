/* dns_name: see dns_name.h. */
#include "lib/dns_name.h"

#include <string.h>

#include "lib/chars.h"
#include "lib/ipc_dns.h"

enum { LABEL_MAX = 63 }; /* RFC 1035 2.3.4 */

static unsigned
byte_at(struct span s, size_t at)
{
	return (unsigned char)s.p[at];
}

/* A pointer at *at is followed; -1: it leads nowhere, or not upwards. */
static int
pointer_follow(struct span s, size_t *at, size_t *segment)
{
	size_t to;

	if (*at + 2 > s.n)
		return -1;
	to = (byte_at(s, *at) & 0x3f) << 8 | byte_at(s, *at + 1);
	if (to >= *segment)
		return -1;
	*at = *segment = to;
	return 0;
}

static int
label_add(struct span s, size_t at, size_t n, struct dns_name *out)
{
	if (at + 1 + n > s.n || out->n + 1 + n > sizeof(out->wire))
		return -1;
	out->wire[out->n++] = (unsigned char)n;
	for (size_t i = 1; i <= n; i++)
		out->wire[out->n++] = (unsigned char)char_lower(s.p[at + i]);
	return 0;
}

int
dns_name_read(struct span s, size_t *at, struct dns_name *out)
{
	size_t i = *at, segment = *at, n;
	bool jumped = false;

	out->n = 0;
	do {
		if (i >= s.n)
			return -1;
		n = byte_at(s, i);
		if (n > LABEL_MAX) {
			if (n < 0xc0)
				return -1;
			if (!jumped)
				*at = i + 2;
			jumped = true;
			if (pointer_follow(s, &i, &segment) == -1)
				return -1;
			n = 1; /* not the end yet */
			continue;
		}
		if (label_add(s, i, n, out) == -1)
			return -1;
		i += 1 + n;
	} while (n != 0);
	if (!jumped)
		*at = i;
	return 0;
}

bool
dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
	return a->n == b->n && memcmp(a->wire, b->wire, a->n) == 0;
}

bool
dns_name_char(char c, bool slash)
{
	return char_is(c, CH_ALNUM) || c == '-' || c == '_' ||
	    (slash && c == '/');
}

int
dns_name_text(
    const struct dns_name *name, bool slash, struct buf *mem, struct span *t)
{
	size_t from = mem->n, at = 0, n;

	while ((n = name->wire[at++]) != 0) {
		if (mem->n > from)
			buf_char(mem, '.');
		for (; n > 0; n--, at++) {
			if (!dns_name_char((char)name->wire[at], slash))
				return -1;
			buf_char(mem, (char)name->wire[at]);
		}
	}
	if (mem->bad || mem->n - from > DNS_NAME_MAX)
		return -1;
	*t = span_of(mem->p + from, mem->n - from);
	return 0;
}

int
dns_name_of(struct span text, struct dns_name *out)
{
	struct span label;

	out->n = 0;
	while (text.n > 0) {
		label = span_cut(&text, '.');
		if (label.n == 0 || label.n > LABEL_MAX ||
		    out->n + 1 + label.n + 1 > sizeof(out->wire))
			return -1;
		out->wire[out->n++] = (unsigned char)label.n;
		for (size_t i = 0; i < label.n; i++)
			out->wire[out->n++] =
			    (unsigned char)char_lower(label.p[i]);
	}
	out->wire[out->n++] = 0;
	return 0;
}
