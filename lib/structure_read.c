/*
 * structure_read: records as they come from disk. structure_open() walks the
 * whole record once and believes nothing; what the other functions read
 * afterwards has been seen there, so they assert. Recursion is at most
 * DEPTH_MAX deep, and the sum of all lengths is the record's.
 */
#include "lib/structure_impl.h"

#include <assert.h>

#include "lib/limits.h"

enum { DEPTH_MAX = MIME_DEPTH_MAX + 2 };

bool
structure_take_large(struct span *in, uint64_t *n)
{
	uint64_t v = 0;
	unsigned char c;
	size_t i;

	for (i = 0; i < in->n && i < 9; i++) { /* 63 bits */
		c = (unsigned char)in->p[i];
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			span_take(in, i + 1);
			*n = v;
			return true;
		}
	}
	return false;
}

static inline bool
take_string(struct span *in, struct span *s)
{
	uint64_t n;

	if (!structure_take_num(in, &n) || n > (uint64_t)in->n + 1)
		return false;
	*s = n == 0 ? (struct span){ NULL, 0 } : span_take(in, (size_t)n - 1);
	return true;
}

bool
structure_take_string(struct span *in, struct span *s)
{
	return take_string(in, s);
}

static bool
take_list(struct span *in, size_t strings, struct structure_list *l)
{
	struct span s, first;
	uint64_t i;

	if (!structure_take_num(in, &l->n) || l->n > MIME_PARAMETERS_MAX)
		return false;
	first = *in;
	for (i = 0; i < l->n * strings; i++)
		if (!take_string(in, &s) || s.p == NULL)
			return false;
	l->bytes = span_slice(first, 0, first.n - in->n);
	return true;
}

bool
structure_take_envelope(struct span *in, struct envelope *e)
{
	size_t i;

	for (i = 0; i < STRUCTURE_FIELDS; i++)
		if (!take_string(in, &e->field[i]))
			return false;
	return true;
}

static bool
take_numbers(struct span *in, struct structure_node *n)
{
	return structure_take_num(in, &n->header) &&
	    structure_take_num(in, &n->body) &&
	    structure_take_num(in, &n->end) &&
	    structure_take_num(in, &n->header_bare) &&
	    structure_take_num(in, &n->body_bare) &&
	    structure_take_num(in, &n->lines);
}

static bool
take_strings(struct span *in, struct structure_node *n)
{
	if (!take_string(in, &n->type) ||
	    !take_string(in, &n->subtype) ||
	    !take_string(in, &n->encoding) ||
	    !take_string(in, &n->id) ||
	    !take_string(in, &n->description) ||
	    !take_string(in, &n->md5) ||
	    !take_string(in, &n->location) ||
	    !take_list(in, 2, &n->params) ||
	    !take_string(in, &n->disposition))
		return false;
	n->disposition_params.n = 0;
	return (n->disposition.p == NULL ||
		   take_list(in, 2, &n->disposition_params)) &&
	    take_list(in, 1, &n->languages);
}

bool
structure_take_node(struct span *in, struct structure_node *n)
{
	struct span s;
	uint32_t size = 0;
	int i;

	if (in->n < 5)
		return false;
	for (i = 3; i >= 0; i--)
		size = size << 8 | (unsigned char)in->p[i];
	span_take(in, 4);
	if (size < 1 || size > in->n)
		return false;
	s = span_take(in, size);
	n->kind = (enum mime_kind)(unsigned char)span_take(&s, 1).p[0];
	if (!take_numbers(&s, n) || !take_strings(&s, n))
		return false;
	n->below = s;
	return true;
}

/* What the encoder of the tree relies on, so that it is grammatical. */
static bool
kind_fits(const struct structure_node *n)
{
	bool multipart, message;

	if (n->type.n == 0 || n->subtype.n == 0 || n->encoding.n == 0)
		return false;
	multipart = span_ieq(n->type, SPAN("multipart"));
	message = span_ieq(n->type, SPAN("message")) &&
	    span_ieq(n->subtype, SPAN("rfc822"));
	switch (n->kind) {
	case MIME_LEAF:
		return !multipart && !message && n->below.n == 0;
	case MIME_MULTIPART:
		return multipart;
	case MIME_MESSAGE:
		return message;
	}
	return false;
}

/* Numbers in order, and within [from, to). */
static bool
numbers_fit(const struct structure_node *n, uint64_t from, uint64_t to)
{
	return from <= n->header && n->header <= n->body && n->body <= n->end &&
	    n->end <= to && n->header_bare <= n->body - n->header &&
	    n->body_bare <= n->lines && n->lines <= n->end - n->body;
}

static bool
skip_envelope(struct span *in)
{
	struct span s;
	size_t i;

	for (i = 0; i < STRUCTURE_FIELDS; i++)
		if (!take_string(in, &s))
			return false;
	return true;
}

/* One part and all below it; *left: parts that there may still be. */
static bool
check(struct span *in, uint64_t from, uint64_t to, int depth, int *left,
    uint64_t *size)
{
	struct structure_node n;
	uint64_t children = 1, below;

	if (depth > DEPTH_MAX || (*left)-- == 0 ||
	    !structure_take_node(in, &n) || !kind_fits(&n) ||
	    !numbers_fit(&n, from, to))
		return false;
	*size = n.end - n.header + n.header_bare + n.body_bare;
	if (n.kind == MIME_LEAF)
		return true;
	if (n.kind == MIME_MESSAGE
		? !skip_envelope(&n.below)
		: !structure_take_num(&n.below, &children) || children == 0)
		return false;
	for (from = n.body; children > 0; children--)
		if (!check(&n.below, from, n.end, depth + 1, left, &below))
			return false;
	return n.below.n == 0;
}

int
structure_open(struct span rec, struct structure *s)
{
	int left = MIME_PARTS_MAX + 1;
	struct span in = rec;
	uint64_t size;

	if (rec.n > STRUCTURE_MAX || rec.n == 0 ||
	    span_take(&in, 1).p[0] != STRUCTURE_VERSION ||
	    !skip_envelope(&in) ||
	    !check(&in, 0, INT64_MAX / 2, 0, &left, &size) || in.n != 0)
		return -1;
	s->rec = rec;
	s->size = size;
	return 0;
}

void
structure_root(
    const struct structure *s, struct envelope *e, struct structure_node *n)
{
	struct span in = span_slice(s->rec, 1, s->rec.n);
	bool good =
	    structure_take_envelope(&in, e) && structure_take_node(&in, n);

	assert(good);
}

uint64_t
structure_size(const struct structure *s)
{
	return s->size;
}

bool
structure_field(
    const struct structure *s, enum structure_field f, struct span *value)
{
	struct span in = span_slice(s->rec, 1, s->rec.n);
	struct envelope e;
	bool good = structure_take_envelope(&in, &e);

	assert(good);
	if (e.field[f].p == NULL)
		return false;
	*value = e.field[f];
	return true;
}

/* The letter in a message/rfc822. */
static void
letter_of(const struct structure_node *n, struct structure_node *letter)
{
	struct span in = n->below;
	struct envelope e;
	bool good = structure_take_envelope(&in, &e) &&
	    structure_take_node(&in, letter);

	assert(good);
}

static struct span
charset_of(const struct structure_node *n)
{
	struct span in = n->params.bytes, name, value;
	uint64_t i;

	for (i = 0; i < n->params.n; i++) {
		if (!take_string(&in, &name) ||
		    !take_string(&in, &value))
			break;
		if (span_eq(name, SPAN("charset")))
			return value;
	}
	return SPAN_NONE;
}

/* As the body of its parent; a message has a header inside. */
static void
part_of(const struct structure_node *n, struct structure_part *p)
{
	struct structure_node letter;

	*p = (struct structure_part){
		.header = n->body,
		.body = n->body,
		.end = n->end,
		.mime = n->header,
		.mime_end = n->body,
		.body_size = n->end - n->body + n->body_bare,
		.mime_size = n->body - n->header + n->header_bare,
		.is_message = n->kind == MIME_MESSAGE,
		.is_multipart = n->kind == MIME_MULTIPART,
		.type = n->type,
		.subtype = n->subtype,
		.encoding = n->encoding,
		.charset = charset_of(n),
	};
	if (n->kind != MIME_MESSAGE)
		return;
	letter_of(n, &letter);
	p->header = letter.header;
	p->body = letter.body;
	p->header_size = letter.body - letter.header + letter.header_bare;
	p->body_size = letter.end - letter.body + letter.body_bare;
}

/* The whole message, as if it were a part. */
static void
part_of_root(const struct structure_node *n, struct structure_part *p)
{
	part_of(n, p);
	p->header = p->mime;
	p->body = p->mime_end;
	p->header_size = p->mime_size;
	p->body_size = n->end - n->body + n->body_bare;
	p->is_message = true;
}

static bool
child(
    const struct structure_node *n, uint32_t number, struct structure_node *out)
{
	struct span in = n->below;
	uint64_t children;

	if (!structure_take_num(&in, &children) || number > children)
		return false;
	while (number-- > 0)
		if (!structure_take_node(&in, out))
			return false;
	return true;
}

int
structure_find(const struct structure *s, const uint32_t *path, size_t n,
    struct structure_part *out)
{
	struct structure_node node, next;
	struct envelope e;
	bool letter = true; /* node is one, and a number goes into its body */
	size_t i;

	structure_root(s, &e, &node);
	for (i = 0; i < n; i++) {
		if (!letter && node.kind == MIME_MESSAGE) {
			letter_of(&node, &next);
			node = next;
			letter = true;
		}
		if (path[i] == 0)
			return -1;
		if (node.kind == MIME_MULTIPART) {
			if (!child(&node, path[i], &next))
				return -1;
			node = next;
		} else if (!letter || path[i] != 1) {
			return -1;
		}
		letter = false;
	}
	if (n == 0)
		part_of_root(&node, out);
	else
		part_of(&node, out);
	return 0;
}

struct each {
	bool (*fn)(const struct structure_part *, void *);
	void *arg;
};

static bool
each(const struct structure_node *n, const struct each *e)
{
	struct structure_node next;
	struct structure_part p;
	struct span in = n->below;
	uint64_t children, i;

	if (n->kind != MIME_MULTIPART) {
		part_of(n, &p);
		if (!e->fn(&p, e->arg))
			return false;
	}
	if (n->kind == MIME_MESSAGE) {
		letter_of(n, &next);
		return each(&next, e);
	}
	if (n->kind == MIME_LEAF || !structure_take_num(&in, &children))
		return true;
	for (i = 0; i < children; i++)
		if (structure_take_node(&in, &next) && !each(&next, e))
			return false;
	return true;
}

void
structure_each(const struct structure *s,
    bool (*fn)(const struct structure_part *, void *), void *arg)
{
	struct each e = { fn, arg };
	struct structure_node n;
	struct envelope env;

	structure_root(s, &env, &n);
	(void)each(&n, &e);
}
