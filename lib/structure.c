/*
 * structure: makes the record of a message. The format is described in
 * structure_impl.h. Where a record would be over STRUCTURE_MAX it is made
 * again with less detail, the last time with hardly any, which fits always.
 */
#include "lib/structure.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/header.h"
#include "lib/limits.h"
#include "lib/mime_field.h"
#include "lib/structure_impl.h"

/* What is kept. */
struct detail {
	size_t string_max; /* longer ones are cut */
	size_t params_max; /* of a field */
};

static const struct detail details[] = {
	{ STRUCTURE_MAX / 2, MIME_PARAMETERS_MAX },
	{ 16 * 1024, MIME_PARAMETERS_MAX },
	{ 1024, 16 },
	{ 100, 1 },
	{ 20, 0 },
};

struct maker {
	struct span message;
	struct mime mime;
	const struct detail *detail;
	struct mime_params params; /* scratch */
	struct buf text;           /* scratch */
	struct buf *out;
};

static void
put_num(struct buf *b, uint64_t n)
{
	while (n >= 0x80) {
		buf_char(b, (char)(unsigned char)(n | 0x80));
		n >>= 7;
	}
	buf_char(b, (char)n);
}

static void
put_none(struct buf *b)
{
	put_num(b, 0);
}

static void
put_string(struct maker *m, struct span s)
{
	s = span_slice(s, 0, m->detail->string_max);
	put_num(m->out, s.n + 1);
	buf_span(m->out, s);
}

static void
put_lower(struct maker *m, struct span s)
{
	size_t i;

	s = span_slice(s, 0, m->detail->string_max);
	put_num(m->out, s.n + 1);
	for (i = 0; i < s.n; i++)
		buf_char(m->out, char_lower(s.p[i]));
}

/* A field's value as one line; p NULL: none. */
static void
put_field(struct maker *m, struct span value)
{
	if (value.p == NULL) {
		put_none(m->out);
		return;
	}
	buf_clear(&m->text);
	mime_unfold(value, &m->text);
	put_string(m, buf_get(&m->text));
}

static void
put_params(struct maker *m, struct span value)
{
	size_t i, n;

	mime_params_parse(&m->params, value);
	n = m->params.n < m->detail->params_max ? m->params.n
						: m->detail->params_max;
	put_num(m->out, n);
	for (i = 0; i < n; i++) {
		put_string(m, mime_param_name(&m->params, i));
		put_string(m, mime_param_value(&m->params, i));
	}
}

/* RFC 2183 2. */
static void
put_disposition(struct maker *m, struct span value)
{
	struct span token;

	if (value.p == NULL || mime_token(&value, &token) == -1) {
		put_none(m->out);
		return;
	}
	put_string(m, token);
	put_params(m, value);
}

/* The next tag; false: no more. A comment is passed over once, not often. */
static bool
next_language(struct span *in, struct span *token)
{
	for (;;) {
		mime_skip(in);
		if (in->n == 0)
			return false;
		if (mime_token(in, token) == 0)
			return true;
		span_take(in, 1);
	}
}

/* RFC 3282 2: tags between commas. */
static void
put_languages(struct maker *m, struct span value)
{
	struct span in = value.p == NULL ? SPAN_NONE : value, again = in, token;
	size_t n = 0, i;

	while (n < m->detail->params_max && next_language(&again, &token))
		n++;
	put_num(m->out, n);
	for (i = 0; i < n && next_language(&in, &token); i++)
		put_string(m, token);
}

static bool
is_addresses(int field)
{
	return field >= FIELD_FROM && field <= FIELD_BCC;
}

/* -1: none that an envelope has. */
static int
field_of(struct span name)
{
	static const struct span names[STRUCTURE_FIELDS] = {
		[FIELD_DATE] = { "date", 4 },
		[FIELD_SUBJECT] = { "subject", 7 },
		[FIELD_FROM] = { "from", 4 },
		[FIELD_SENDER] = { "sender", 6 },
		[FIELD_REPLY_TO] = { "reply-to", 8 },
		[FIELD_TO] = { "to", 2 },
		[FIELD_CC] = { "cc", 2 },
		[FIELD_BCC] = { "bcc", 3 },
		[FIELD_IN_REPLY_TO] = { "in-reply-to", 11 },
		[FIELD_MESSAGE_ID] = { "message-id", 10 },
	};
	int i;

	for (i = 0; i < STRUCTURE_FIELDS; i++)
		if (span_ieq(name, names[i]))
			return i;
	return -1;
}

/* The next field of the envelope in this header; false: no more. */
static bool
next_field(struct span *header, int *field, struct span *value)
{
	struct header_field h;

	while (header->n > 0)
		if (!header_next(header, &h)) {
			span_line(header); /* no field, or the blank line */
		} else if ((*field = field_of(h.name)) != -1) {
			*value = h.value;
			return true;
		}
	return false;
}

/* Several fields of addresses are one; they are cut between addresses. */
static void
put_addresses(struct maker *m, struct span header, int field)
{
	struct span value, s;
	int f;

	buf_clear(&m->text);
	while (next_field(&header, &f, &value)) {
		if (f != field)
			continue;
		if (m->text.n > 0)
			buf_str(&m->text, ", ");
		mime_unfold(value, &m->text);
	}
	s = buf_get(&m->text);
	if (s.n > m->detail->string_max) {
		s = span_slice(s, 0, m->detail->string_max);
		s = span_slice(s, 0, span_rfind(s, ','));
	}
	put_string(m, s);
}

static void
put_envelope(struct maker *m, const struct mime_part *p)
{
	struct span header = span_slice(
			m->message, (size_t)p->mime.at, (size_t)p->body.at),
		    in = header, value;
	struct envelope e = { .field = { { NULL, 0 } } };
	bool more[STRUCTURE_FIELDS] = { false };
	int i;

	while (next_field(&in, &i, &value))
		if (e.field[i].p == NULL)
			e.field[i] = value;
		else
			more[i] = true;
	for (i = 0; i < STRUCTURE_FIELDS; i++)
		if (is_addresses(i) &&
		    (more[i] || e.field[i].n > m->detail->string_max))
			put_addresses(m, header, i);
		else
			put_field(m, e.field[i]);
}

static void put_part(struct maker *, size_t part);

static void
put_below(struct maker *m, size_t part)
{
	const struct mime_part *p = &m->mime.part[part];
	size_t i, n = 0;

	if (p->kind == MIME_MESSAGE) {
		put_envelope(m, &m->mime.part[part + 1]);
		put_part(m, part + 1);
	}
	if (p->kind != MIME_MULTIPART)
		return;
	for (i = part + 1; i < p->next; i = m->mime.part[i].next)
		n++;
	put_num(m->out, n);
	for (i = part + 1; i < p->next; i = m->mime.part[i].next)
		put_part(m, i);
}

static void
put_part(struct maker *m, size_t part)
{
	const struct mime_part *p = &m->mime.part[part];
	size_t at = m->out->n, i, n;

	buf_bytes(m->out, "\0\0\0", 4); /* the length, see below */
	buf_char(m->out, (char)p->kind);
	put_num(m->out, p->mime.at);
	put_num(m->out, p->body.at);
	put_num(m->out, p->end.at);
	put_num(m->out, p->body.bare - p->mime.bare);
	put_num(m->out, p->end.bare - p->body.bare);
	put_num(m->out, p->end.lines - p->body.lines);
	put_lower(m, p->type);
	put_lower(m, p->subtype);
	put_lower(m, mime_encoding(p->field[MIME_ENCODING]));
	put_field(m, p->field[MIME_ID]);
	put_field(m, p->field[MIME_DESCRIPTION]);
	put_field(m, p->field[MIME_MD5]);
	put_field(m, p->field[MIME_LOCATION]);
	put_params(m, p->params);
	put_disposition(m, p->field[MIME_DISPOSITION]);
	put_languages(m, p->field[MIME_LANGUAGE]);
	put_below(m, part);
	if (m->out->bad)
		return;
	n = m->out->n - at - 4;
	assert(n <= UINT32_MAX);
	for (i = 0; i < 4; i++)
		m->out->p[at + i] = (char)(unsigned char)(n >> (8 * i) & 0xff);
}

/* A maximal record of the least detail fits. */
static_assert(
    2 * 210 + (MIME_PARTS_MAX + 1) * (4 + 1 + 6 * 10 + 8 * 21 + 3 + 2 + 210) <
	STRUCTURE_MAX,
    "the last resort");

void
structure_make(struct span message, struct buf *out)
{
	struct maker m = { .message = message };
	struct buf record;

	buf_init(&record, STRUCTURE_MAX);
	buf_init(&m.text, SIZE_MAX / 4);
	mime_params_init(&m.params);
	mime_parse(message, &m.mime);
	m.out = &record;
	for (m.detail = details; m.detail < details + nitems(details);
	     m.detail++) {
		buf_clear(&record);
		buf_char(&record, STRUCTURE_VERSION);
		put_envelope(&m, m.mime.part);
		put_part(&m, 0);
		if (!record.bad)
			break;
	}
	assert(!record.bad);
	buf_span(out, buf_get(&record));
	buf_fini(&record);
	buf_fini(&m.text);
	mime_params_fini(&m.params);
	mime_fini(&m.mime);
}
