/*
 * addr: the one reading of an address. It accepts only what is named here,
 * byte by byte from left to right; nothing is looked at twice, and nothing
 * inside a local part means anything (no %, no !, no second @):
 *
 *	path     "<" [route ":"] mailbox ">"  |  mailbox        RFC 5321 4.1.2
 *	route    "@" domain *("," "@" domain)     read, and dropped (App. C)
 *	mailbox  local "@" (domain | literal)
 *	local    atoms joined by single dots  |  quoted string
 *
 * The quoted string's content is unescaped first and written anew: without
 * quotes if it is atoms joined by dots, else with the fewest backslashes. So
 * two spellings of a mailbox have one text.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/limits.h"

enum {
	ADDR_LABEL_MAX = 63,                /* RFC 1035 2.3.4 */
	ADDR_TEXT_MAX = SMTP_PATH_MAX - 2,  /* without the brackets */
	ADDR_LITERAL_MAX = 64,
	UTF8_FIRST = 0xa0, /* what is below are controls or ASCII */
};

struct local {
	char raw[SMTP_LOCAL_MAX]; /* without quotes, backslashes */
	size_t n;
};

static bool
take_char(struct span *in, char c)
{
	if (in->n == 0 || in->p[0] != c)
		return false;
	span_take(in, 1);
	return true;
}

/* Length of the character in front if it may stand there, else 0. */
static size_t
allowed(struct span in, unsigned classes, unsigned flags)
{
	uint32_t cp;
	size_t n;

	if (in.n > 0 && char_is(in.p[0], classes))
		return 1;
	if ((flags & ADDR_UTF8) == 0)
		return 0;
	n = utf8_decode(in, &cp); /* RFC 6531 3.3: UTF8-non-ascii */
	return n > 0 && cp >= UTF8_FIRST ? n : 0;
}

/* Moves n bytes from *in to l. -1: too long, RFC 5321 4.5.3.1.1. */
static int
local_add(struct local *l, struct span *in, size_t n)
{
	struct span s = span_take(in, n);

	if (s.n > sizeof(l->raw) - l->n)
		return -1;
	memcpy(l->raw + l->n, s.p, s.n);
	l->n += s.n;
	return 0;
}

/* Dot-string: no dot at an end, no two together. */
static bool
is_dot_string(struct span s, unsigned flags)
{
	bool dot = true;
	size_t n;

	while (s.n > 0) {
		if (take_char(&s, '.')) {
			if (dot)
				return false;
			dot = true;
			continue;
		}
		if ((n = allowed(s, CH_ATEXT, flags)) == 0)
			return false;
		span_take(&s, n);
		dot = false;
	}
	return !dot;
}

static int
take_dot_string(struct span *in, unsigned flags, struct local *l)
{
	size_t n;

	for (;;) {
		if (in->n > 0 && in->p[0] == '.')
			n = 1;
		else if ((n = allowed(*in, CH_ATEXT, flags)) == 0)
			break;
		if (local_add(l, in, n) == -1)
			return -1;
	}
	return is_dot_string(span_of(l->raw, l->n), flags) ? 0 : -1;
}

/* Behind the opening quote, up to and with the closing one. */
static int
take_quoted(struct span *in, unsigned flags, struct local *l)
{
	size_t n;

	while (!take_char(in, '"')) {
		/* quoted-pairSMTP: a backslash and %d32-126 */
		if (take_char(in, '\\'))
			n = in->n > 0 && char_is(in->p[0], CH_PRINT) ? 1 : 0;
		else
			n = allowed(*in, CH_QTEXT, flags);
		if (n == 0 || local_add(l, in, n) == -1)
			return -1;
	}
	return 0;
}

static int
take_local(struct span *in, unsigned flags, struct local *l)
{
	l->n = 0;
	if (take_char(in, '"'))
		return take_quoted(in, flags, l);
	return take_dot_string(in, flags, l);
}

static bool
label_ok(struct span s, unsigned flags)
{
	size_t n;

	if (s.n == 0 || s.n > ADDR_LABEL_MAX || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	while (s.n > 0) {
		n = s.p[0] == '-' ? 1 : allowed(s, CH_ALNUM, flags);
		if (n == 0)
			return false;
		span_take(&s, n);
	}
	return true;
}

/*
 * A name whose last label is digits would be an address without brackets
 * (RFC 1123 2.1): refused.
 */
static bool
name_ok(struct span s, unsigned flags)
{
	struct span label = SPAN_NONE;

	if (s.n == 0 || s.n > SMTP_DOMAIN_MAX || s.p[s.n - 1] == '.')
		return false;
	while (s.n > 0) {
		label = span_cut(&s, '.');
		if (!label_ok(label, flags))
			return false;
	}
	return !chars_all(label, CH_DIGIT);
}

bool
addr_domain_ok(struct span s)
{
	return name_ok(s, 0);
}

static const struct span ipv6_tag = { "ipv6:", 5 };

static int
ip_canon(int family, struct span s, char canon[INET6_ADDRSTRLEN])
{
	char text[ADDR_LITERAL_MAX];
	unsigned char bin[16];

	if (!chars_all(s, CH_DTEXT) ||
	    span_copy(text, sizeof(text), s) == -1 ||
	    inet_pton(family, text, bin) != 1 ||
	    inet_ntop(family, bin, canon, INET6_ADDRSTRLEN) == NULL)
		return -1;
	return 0;
}

int
addr_ip_put(struct span s, struct buf *out)
{
	char canon[INET6_ADDRSTRLEN];
	bool six;

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = span_slice(s, 1, s.n - 1);
	six = span_has(s, ':');
	if (span_istarts(s, ipv6_tag))
		(void)span_take(&s, ipv6_tag.n);
	if (ip_canon(six ? AF_INET6 : AF_INET, s, canon) == -1)
		return -1;
	buf_str(out, canon);
	return 0;
}

bool
addr_ip_ok(struct span s)
{
	struct buf b;
	bool good;

	buf_init(&b, ADDR_LITERAL_MAX);
	good = addr_ip_put(s, &b) == 0;
	buf_fini(&b);
	return good;
}

/* Writes "[192.0.2.1]" or "[ipv6:2001:db8::1]"; RFC 5321 4.1.3. */
static int
literal_put(struct span s, struct buf *out)
{
	char canon[INET6_ADDRSTRLEN];
	bool six;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return -1;
	s = span_slice(s, 1, s.n - 1);
	six = span_istarts(s, ipv6_tag);
	if (six)
		span_take(&s, ipv6_tag.n);
	if (ip_canon(six ? AF_INET6 : AF_INET, s, canon) == -1)
		return -1;
	buf_char(out, '[');
	if (six)
		buf_span(out, ipv6_tag);
	buf_str(out, canon);
	buf_char(out, ']');
	return 0;
}

bool
addr_literal_ok(struct span s)
{
	struct buf b;
	bool good;

	buf_init(&b, ADDR_LITERAL_MAX);
	good = literal_put(s, &b) == 0 && !b.bad;
	buf_fini(&b);
	return good;
}

/* The bytes of a domain or literal in front of *in; not yet checked. */
static struct span
take_domain(struct span *in, unsigned flags)
{
	struct span s = *in;
	size_t n;

	if (s.n > 0 && s.p[0] == '[')
		return span_take(in, span_find(s, ']') + 1);
	while ((s.n > 0 && (s.p[0] == '.' || s.p[0] == '-')) ||
	    allowed(s, CH_ALNUM, flags) > 0) {
		n = allowed(s, CH_ALNUM, flags);
		span_take(&s, n > 0 ? n : 1);
	}
	return span_take(in, in->n - s.n);
}

static int
domain_put(struct span s, unsigned flags, struct buf *out)
{
	size_t i;

	if (s.n > 0 && s.p[0] == '[')
		return literal_put(s, out);
	if (!name_ok(s, flags))
		return -1;
	for (i = 0; i < s.n; i++)
		buf_char(out, char_lower(s.p[i]));
	return 0;
}

/* RFC 5321 App. C: a source route is accepted and ignored. */
static int
skip_route(struct span *in, unsigned flags)
{
	if (in->n == 0 || in->p[0] != '@')
		return 0;
	do {
		if (!take_char(in, '@') ||
		    !name_ok(take_domain(in, flags), flags))
			return -1;
	} while (take_char(in, ','));
	return take_char(in, ':') ? 0 : -1;
}

/* Writes it anew. -1: too long with its quotes, RFC 5321 4.5.3.1.1. */
static int
local_put(const struct local *l, unsigned flags, struct buf *out)
{
	struct span raw = span_of(l->raw, l->n);
	size_t i;

	if (is_dot_string(raw, flags)) {
		buf_span(out, raw);
		return 0;
	}
	buf_char(out, '"');
	for (i = 0; i < raw.n; i++) {
		if (raw.p[i] == '"' || raw.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, raw.p[i]);
	}
	buf_char(out, '"');
	return out->n > SMTP_LOCAL_MAX ? -1 : 0;
}

/* A local part alone: RFC 5321 4.5.1 wants <Postmaster>, in any case. */
static int
no_domain_put(const struct local *l, unsigned flags, struct buf *out)
{
	struct span raw = span_of(l->raw, l->n);

	if ((flags & (ADDR_POSTMASTER_OK | ADDR_NODOMAIN_OK)) != 0 &&
	    span_ieq(raw, SPAN("postmaster"))) {
		buf_str(out, "postmaster");
		return 0;
	}
	if ((flags & ADDR_NODOMAIN_OK) == 0)
		return -1;
	return local_put(l, flags, out);
}

static int
take_mailbox(struct span *in, unsigned flags, struct buf *out)
{
	struct local l;

	if (take_local(in, flags, &l) == -1)
		return -1;
	if (!take_char(in, '@'))
		return no_domain_put(&l, flags, out);
	if (local_put(&l, flags, out) == -1)
		return -1;
	buf_char(out, '@');
	return domain_put(take_domain(in, flags), flags, out);
}

/* Behind the "<", up to and with the ">". */
static int
take_bracketed(struct span *in, unsigned flags, struct buf *out)
{
	if (take_char(in, '>'))
		return (flags & ADDR_NULL_OK) != 0 ? 0 : -1;
	if (skip_route(in, flags) == -1 || take_mailbox(in, flags, out) == -1)
		return -1;
	return take_char(in, '>') ? 0 : -1;
}

int
addr_parse(struct span *in, unsigned flags, struct buf *out, struct addr *a)
{
	struct span rest = *in;

	buf_clear(out);
	while (rest.n > 0 && char_is(rest.p[0], CH_BLANK))
		span_take(&rest, 1);
	if (take_char(&rest, '<')) {
		if (take_bracketed(&rest, flags, out) == -1)
			return -1;
	} else if (take_mailbox(&rest, flags, out) == -1)
		return -1;
	if (rest.n > 0 && !char_is(rest.p[0], CH_BLANK))
		return -1;
	if (out->bad || out->n > ADDR_TEXT_MAX) /* RFC 5321 4.5.3.1.3 */
		return -1;
	addr_split(buf_get(out), a);
	while (rest.n > 0 && char_is(rest.p[0], CH_BLANK))
		span_take(&rest, 1);
	*in = rest;
	return 0;
}

void
addr_split(struct span text, struct addr *a)
{
	/* Domains and literals hold neither @ nor ", so the last @ counts. */
	size_t at = span_rfind(text, '@');

	if (text.n > 0 && text.p[text.n - 1] == '"')
		at = text.n;
	*a = (struct addr){ .text = text, .local = span_slice(text, 0, at),
		.domain = span_slice(text, at + 1, text.n) };
	a->quoted = a->local.n > 0 && a->local.p[0] == '"';
	a->literal = a->domain.n > 0 && a->domain.p[0] == '[';
}
