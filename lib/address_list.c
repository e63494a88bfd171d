/*
 * address_list: RFC 5322 3.4 and 4.4, read leniently. The walk goes forward
 * only: a phrase is gathered until '<' (it was a name), '@' (its end was a
 * local part), ':' (it was a group's name) or an end (it was a local part
 * without a domain). Comments are gathered on the way; the last is the name
 * of an address that has no other.
 */
#include "lib/address_list.h"

#include <string.h>

#include "lib/chars.h"

void
address_list_init(struct address_list *l, struct span value)
{
	*l = (struct address_list){ .in = value };
	buf_init(&l->phrase, SIZE_MAX / 4);
	buf_init(&l->comment, SIZE_MAX / 4);
	buf_init(&l->route, SIZE_MAX / 4);
	buf_init(&l->mailbox, SIZE_MAX / 4);
	buf_init(&l->domain, SIZE_MAX / 4);
	buf_init(&l->rest, SIZE_MAX / 4);
}

void
address_list_fini(struct address_list *l)
{
	buf_fini(&l->phrase);
	buf_fini(&l->comment);
	buf_fini(&l->route);
	buf_fini(&l->mailbox);
	buf_fini(&l->domain);
	buf_fini(&l->rest);
}

/* RFC 5322 3.2.3, without '[' and ']', which are found in names. */
static bool
is_special(char c)
{
	static const bool special[256] = {
		['('] = true,
		[')'] = true,
		['<'] = true,
		['>'] = true,
		['@'] = true,
		[','] = true,
		[':'] = true,
		[';'] = true,
		['"'] = true,
	};

	return special[(unsigned char)c];
}

static bool
at(const struct address_list *l, const char *any)
{
	return l->in.n > 0 && l->in.p[0] != '\0' &&
	    strchr(any, l->in.p[0]) != NULL;
}

/* "(a \) (b))": the text inside; one that does not end takes all. */
static void
take_comment(struct address_list *l)
{
	size_t depth = 0;
	char c;

	buf_clear(&l->comment);
	while (l->in.n > 0) {
		c = span_take(&l->in, 1).p[0];
		if (c == ')' && --depth == 0)
			return;
		if (c == '(' && depth++ == 0)
			continue;
		if (c == '\\' && l->in.n > 0)
			c = span_take(&l->in, 1).p[0];
		if (c != '\r' && c != '\n')
			buf_char(&l->comment, c);
	}
}

/* Blanks, line ends, comments. Were there any? */
static bool
skip(struct address_list *l)
{
	size_t before = l->in.n;

	while (l->in.n > 0)
		if (char_is(l->in.p[0], CH_FWS))
			span_take(&l->in, 1);
		else if (l->in.p[0] == '(')
			take_comment(l);
		else
			break;
	return l->in.n < before;
}

/* "...": unescaped; one that does not end takes all. */
static void
take_quoted(struct address_list *l, struct buf *out)
{
	char c;

	span_take(&l->in, 1);
	while (l->in.n > 0) {
		c = span_take(&l->in, 1).p[0];
		if (c == '"')
			return;
		if (c == '\\' && l->in.n > 0)
			c = span_take(&l->in, 1).p[0];
		if (c != '\r' && c != '\n')
			buf_char(out, c);
	}
}

/* A quoted string, or one byte and more up to a blank or a special. */
static void
take_word(struct address_list *l, struct buf *out)
{
	size_t n;

	if (l->in.p[0] == '"') {
		take_quoted(l, out);
		return;
	}
	for (n = 1; n < l->in.n; n++)
		if (is_special(l->in.p[n]) || char_is(l->in.p[n], CH_FWS))
			break;
	buf_span(out, span_take(&l->in, n));
}

static bool
ends_in_dot(const struct buf *b)
{
	return b->n > 0 && b->p[b->n - 1] == '.';
}

/*
 * Words up to a byte of stop. All of them go to phrase, those of the last run
 * without blanks (but for blanks around dots, RFC 5322 4.4) to mailbox.
 * Returns how much of phrase stands before that run.
 */
static size_t
take_phrase(struct address_list *l, const char *stop)
{
	size_t before = 0, from;
	bool blank;

	buf_clear(&l->phrase);
	buf_clear(&l->mailbox);
	for (;;) {
		blank = skip(l);
		if (l->in.n == 0 || at(l, stop))
			return before;
		if (blank && !ends_in_dot(&l->mailbox) && !at(l, ".")) {
			before = l->phrase.n;
			buf_clear(&l->mailbox);
		}
		if (blank && l->phrase.n > 0)
			buf_char(&l->phrase, ' ');
		from = l->phrase.n;
		take_word(l, &l->phrase);
		buf_span(&l->mailbox,
		    span_slice(buf_get(&l->phrase), from, l->phrase.n));
	}
}

/* What stands before '@' in brackets. */
static void
take_local(struct address_list *l)
{
	bool blank;

	buf_clear(&l->mailbox);
	for (;;) {
		blank = skip(l);
		if (l->in.n == 0 || at(l, "@>,"))
			return;
		if (blank && l->mailbox.n > 0 && !ends_in_dot(&l->mailbox) &&
		    !at(l, "."))
			buf_char(&l->mailbox, ' ');
		take_word(l, &l->mailbox);
	}
}

/* After '@': atoms and dots, or [a literal]. */
static void
take_domain(struct address_list *l)
{
	size_t n;

	buf_clear(&l->domain);
	skip(l);
	if (at(l, "[")) {
		n = span_find(l->in, ']');
		buf_span(&l->domain, span_take(&l->in, n + 1));
		skip(l);
		return;
	}
	while (l->in.n > 0 && !is_special(l->in.p[0])) {
		take_word(l, &l->domain);
		if (skip(l) && !at(l, ".") && !ends_in_dot(&l->domain))
			return;
	}
}

/* "@a,@b:" (RFC 5322 4.4), inside the brackets. */
static void
take_route(struct address_list *l)
{
	buf_clear(&l->route);
	skip(l);
	while (at(l, "@,")) {
		buf_span(&l->route, span_take(&l->in, 1));
		if (l->route.p[l->route.n - 1] == '@') {
			take_domain(l);
			buf_span(&l->route, buf_get(&l->domain));
		}
		skip(l);
	}
	if (at(l, ":"))
		span_take(&l->in, 1);
}

/* To the next address, over what is not understood. */
static void
skip_rest(struct address_list *l)
{
	for (;;) {
		skip(l);
		if (l->in.n == 0 || at(l, ",;"))
			break;
		if (at(l, "\"")) {
			buf_clear(&l->rest);
			take_quoted(l, &l->rest);
		} else {
			span_take(&l->in, 1);
		}
	}
	if (at(l, ",") || (!l->group && at(l, ";")))
		span_take(&l->in, 1);
}

/* "<route: local@domain>", the '<' is next; phrase was the name. */
static void
take_angle(struct address_list *l)
{
	span_take(&l->in, 1);
	take_route(l);
	take_local(l);
	buf_clear(&l->domain);
	if (at(l, "@")) {
		span_take(&l->in, 1);
		take_domain(l);
	}
	if (at(l, ">"))
		span_take(&l->in, 1);
}

static bool
next_kind(struct address_list *l, struct address *a, enum address_kind kind)
{
	*a = (struct address){ .kind = kind };
	l->group = kind == ADDRESS_GROUP;
	if (l->in.n > 0)
		span_take(&l->in, 1); /* ':' or ';' */
	if (kind == ADDRESS_GROUP)
		a->mailbox = buf_get(&l->phrase);
	return true;
}

bool
address_list_next(struct address_list *l, struct address *a)
{
	size_t name; /* of phrase, bytes that are the name */

	buf_clear(&l->comment);
	for (;;) {
		skip(l);
		if (l->group && (l->in.n == 0 || at(l, ";")))
			return next_kind(l, a, ADDRESS_GROUP_END);
		if (l->in.n == 0)
			return false;
		if (!at(l, ",;"))
			break;
		span_take(&l->in, 1);
	}
	*a = (struct address){ .kind = ADDRESS_MAILBOX };
	buf_clear(&l->route);
	buf_clear(&l->domain);
	name = take_phrase(l, l->group ? "<,;@" : "<,:;@");
	if (!l->group && at(l, ":"))
		return next_kind(l, a, ADDRESS_GROUP);
	if (at(l, "<")) {
		name = l->phrase.n;
		take_angle(l);
	} else if (at(l, "@")) {
		span_take(&l->in, 1);
		take_domain(l);
	} else {
		name = 0;
		buf_clear(&l->mailbox);
		buf_span(&l->mailbox, buf_get(&l->phrase));
	}
	skip_rest(l);
	a->name = name > 0 ? span_slice(buf_get(&l->phrase), 0, name)
			   : buf_get(&l->comment);
	a->route = buf_get(&l->route);
	a->mailbox = buf_get(&l->mailbox);
	a->domain = buf_get(&l->domain);
	return true;
}
