/*
 * structure_out: ENVELOPE, BODY and BODYSTRUCTURE from a record (RFC 3501
 * 7.4.2). Absent items are NIL; an address that lacks its domain has an empty
 * one, since NIL would begin a group.
 */
#include "lib/structure_impl.h"

#include <assert.h>

#include "lib/address_list.h"
#include "lib/imap_out.h"
#include "lib/limits.h"

static void
put_nstring(struct imap_out *o, struct span s)
{
	out_nstring(o, s, s.p == NULL);
}

/* None is NIL, too. */
static void
put_text(struct imap_out *o, struct span s)
{
	out_nstring(o, s, s.n == 0);
}

static void
put_address(struct imap_out *o, const struct address *a)
{
	out_open(o);
	put_text(o, a->name);
	put_text(o, a->route);
	out_nstring(o, a->mailbox, a->kind == ADDRESS_GROUP_END);
	out_nstring(o, a->domain, a->kind != ADDRESS_MAILBOX);
	out_close(o);
}

/* false: nothing said, there is none. */
static bool
put_addresses(struct imap_out *o, struct span value)
{
	struct address_list l;
	struct address a;
	size_t n = 0;

	address_list_init(&l, value);
	while ((n < ENVELOPE_ADDRESSES_MAX || l.group) &&
	    address_list_next(&l, &a)) {
		if (n >= ENVELOPE_ADDRESSES_MAX && a.kind == ADDRESS_MAILBOX)
			continue; /* to the end of the group */
		if (n++ == 0)
			out_open(o);
		else
			out_tight(o);
		put_address(o, &a);
	}
	address_list_fini(&l);
	if (n > 0)
		out_close(o);
	return n > 0;
}

static void
put_envelope(struct imap_out *o, const struct envelope *e)
{
	static const enum structure_field order[] = { FIELD_FROM, FIELD_SENDER,
		FIELD_REPLY_TO, FIELD_TO, FIELD_CC, FIELD_BCC };
	size_t i;

	out_open(o);
	put_nstring(o, e->field[FIELD_DATE]);
	put_nstring(o, e->field[FIELD_SUBJECT]);
	for (i = 0; i < nitems(order); i++) {
		if (put_addresses(o, e->field[order[i]]))
			continue;
		/* RFC 3501 7.4.2: absent or empty, they are From's. */
		if ((order[i] != FIELD_SENDER && order[i] != FIELD_REPLY_TO) ||
		    !put_addresses(o, e->field[FIELD_FROM]))
			out_nil(o);
	}
	put_nstring(o, e->field[FIELD_IN_REPLY_TO]);
	put_nstring(o, e->field[FIELD_MESSAGE_ID]);
	out_close(o);
}

static void
put_strings(struct imap_out *o, const struct structure_list *l, size_t strings)
{
	struct span in = l->bytes, s;
	uint64_t i;

	for (i = 0; i < l->n * strings; i++) {
		bool good = structure_take_string(&in, &s);

		assert(good);
		out_string(o, s);
	}
}

/* body-fld-param; a text has a charset (RFC 2045 5.2). */
static void
put_params(struct imap_out *o, const struct structure_list *l, bool add_charset)
{
	struct span in = l->bytes, name;
	uint64_t i;

	for (i = 0; i < 2 * l->n; i++) {
		if (!structure_take_string(&in, &name))
			break;
		if (i % 2 == 0 &&
		    (span_eq(name, SPAN("charset")) ||
			span_eq(name, SPAN("charset*"))))
			add_charset = false;
	}
	if (l->n == 0 && !add_charset) {
		out_nil(o);
		return;
	}
	out_open(o);
	put_strings(o, l, 2);
	if (add_charset) {
		out_string(o, SPAN("charset"));
		out_string(o, SPAN("us-ascii"));
	}
	out_close(o);
}

/* body-fld-dsp, body-fld-lang, body-fld-loc. */
static void
put_extension(struct imap_out *o, const struct structure_node *n)
{
	if (n->disposition.p == NULL) {
		out_nil(o);
	} else {
		out_open(o);
		out_string(o, n->disposition);
		put_params(o, &n->disposition_params, false);
		out_close(o);
	}
	if (n->languages.n == 0) {
		out_nil(o);
	} else {
		out_open(o);
		put_strings(o, &n->languages, 1);
		out_close(o);
	}
	put_nstring(o, n->location);
}

static void put_body(
    struct imap_out *, const struct structure_node *, bool extensible);

static void
put_multipart(
    struct imap_out *o, const struct structure_node *n, bool extensible)
{
	struct structure_node part;
	struct span in = n->below;
	uint64_t parts, i;
	bool good = structure_take_num(&in, &parts);

	assert(good);
	for (i = 0; i < parts; i++) {
		good = structure_take_node(&in, &part);
		assert(good);
		if (i > 0)
			out_tight(o);
		put_body(o, &part, extensible);
	}
	out_string(o, n->subtype);
	if (extensible) {
		put_params(o, &n->params, false);
		put_extension(o, n);
	}
}

static void
put_single(struct imap_out *o, const struct structure_node *n, bool extensible)
{
	bool text = span_ieq(n->type, SPAN("text"));
	struct span in = n->below;
	struct structure_node letter;
	struct envelope e;

	out_string(o, n->type);
	out_string(o, n->subtype);
	put_params(o, &n->params, text);
	put_nstring(o, n->id);
	put_nstring(o, n->description);
	out_string(o, n->encoding);
	out_num(o, n->end - n->body + n->body_bare);
	if (n->kind == MIME_MESSAGE) {
		bool good = structure_take_envelope(&in, &e) &&
		    structure_take_node(&in, &letter);

		assert(good);
		put_envelope(o, &e);
		put_body(o, &letter, extensible);
	}
	if (text || n->kind == MIME_MESSAGE)
		out_num(o, n->lines);
	if (extensible) {
		put_nstring(o, n->md5);
		put_extension(o, n);
	}
}

static void
put_body(struct imap_out *o, const struct structure_node *n, bool extensible)
{
	out_open(o);
	if (n->kind == MIME_MULTIPART)
		put_multipart(o, n, extensible);
	else
		put_single(o, n, extensible);
	out_close(o);
}

void
structure_envelope(const struct structure *s, struct imap_out *o)
{
	struct structure_node n;
	struct envelope e;

	structure_root(s, &e, &n);
	put_envelope(o, &e);
}

void
structure_body(const struct structure *s, bool extensible, struct imap_out *o)
{
	struct structure_node n;
	struct envelope e;

	structure_root(s, &e, &n);
	put_body(o, &n, extensible);
}
