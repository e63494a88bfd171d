/*
 * mime_field: see RFC 2045 5.1, 2231 3 to 4. Each byte is looked at a fixed
 * number of times; joining pieces is quadratic in MIME_PARAMETERS_MAX only.
 */
#include "lib/mime_field.h"

#include <assert.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/limits.h"

static_assert(nitems(((struct mime_params *)0)->param) == MIME_PARAMETERS_MAX,
    "as many as limits.h says");

/* RFC 2045 5.1, leniently: bytes beyond ASCII may be in a token. */
static bool
is_token(char c)
{
	static const bool special[256] = {
		['('] = true,
		[')'] = true,
		['<'] = true,
		['>'] = true,
		['@'] = true,
		[','] = true,
		[';'] = true,
		[':'] = true,
		['\\'] = true,
		['"'] = true,
		['/'] = true,
		['['] = true,
		[']'] = true,
		['?'] = true,
		['='] = true,
		[127] = true,
	};

	return (unsigned char)c > ' ' && !special[(unsigned char)c];
}

/* "(a (b) \) c)"; one that does not end takes all. */
static void
skip_comment(struct span *in)
{
	size_t i, depth = 0;

	for (i = 0; i < in->n; i++) {
		if (in->p[i] == '\\')
			i++;
		else if (in->p[i] == '(')
			depth++;
		else if (in->p[i] == ')' && --depth == 0)
			break;
	}
	span_take(in, i + 1);
}

void
mime_skip(struct span *in)
{
	while (in->n > 0)
		if (char_is(in->p[0], CH_FWS))
			span_take(in, 1);
		else if (in->p[0] == '(')
			skip_comment(in);
		else
			break;
}

int
mime_token(struct span *in, struct span *token)
{
	struct span s = *in;
	size_t n = 0;

	mime_skip(&s);
	while (n < s.n && is_token(s.p[n]))
		n++;
	if (n == 0)
		return -1;
	*token = span_take(&s, n);
	mime_skip(&s);
	*in = s;
	return 0;
}

int
mime_type(struct span *in, struct span *type, struct span *subtype)
{
	struct span s = *in, t;

	if (mime_token(&s, &t) == -1)
		return -1;
	*type = t;
	*subtype = SPAN_NONE;
	if (s.n > 0 && s.p[0] == '/') {
		span_take(&s, 1);
		(void)mime_token(&s, subtype);
	}
	*in = s;
	return 0;
}

struct span
mime_encoding(struct span value)
{
	struct span token;

	if (value.p == NULL || mime_token(&value, &token) == -1 ||
	    (value.n > 0 && value.p[0] != ';'))
		return SPAN("7bit");
	return token;
}

void
mime_params_init(struct mime_params *p)
{
	buf_init(&p->text, SIZE_MAX / 4);
	p->n = 0;
}

void
mime_params_fini(struct mime_params *p)
{
	buf_fini(&p->text);
	p->n = 0;
}

struct span
mime_param_name(const struct mime_params *p, size_t i)
{
	return span_slice(buf_get(&p->text), p->param[i].name,
	    p->param[i].name + p->param[i].name_n);
}

struct span
mime_param_value(const struct mime_params *p, size_t i)
{
	return span_slice(buf_get(&p->text), p->param[i].value,
	    p->param[i].value + p->param[i].value_n);
}

bool
mime_param_find(
    const struct mime_params *p, struct span name, struct span *value)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (span_eq(mime_param_name(p, i), name)) {
			*value = mime_param_value(p, i);
			return true;
		}
	return false;
}

/* "..." is unescaped, folds in it go; without the last '"' all is it. */
static void
take_quoted(struct span *in, struct buf *out)
{
	size_t i;

	for (i = 1; i < in->n && in->p[i] != '"'; i++) {
		if (in->p[i] == '\r' || in->p[i] == '\n')
			continue;
		if (in->p[i] == '\\' && i + 1 < in->n)
			i++;
		buf_char(out, in->p[i]);
	}
	span_take(in, i + 1);
}

/* More than a token: names of files and boundaries come without quotes. */
static void
take_bare(struct span *in, struct buf *out)
{
	size_t n;

	for (n = 0; n < in->n; n++)
		if (char_is(in->p[n], CH_FWS) || in->p[n] == ';' ||
		    in->p[n] == '"')
			break;
	buf_span(out, span_take(in, n));
}

/* name*0, name*0*, name*: what stands after the name proper. */
static void
note_piece(struct mime_param *m, struct span name)
{
	size_t star = span_find(name, '*');
	struct span s = span_slice(name, star + 1, name.n);
	uint64_t n;

	m->base_n = star;
	m->piece = -1;
	m->extended = star < name.n && span_ends(name, SPAN("*"));
	if (m->extended && s.n > 0)
		s.n--;
	if (star < name.n && s.n < 4 &&
	    span_num(s, 0, MIME_PARAMETERS_MAX, &n) == 0)
		m->piece = (int)n;
	else if (s.n > 0)
		m->base_n = name.n; /* "a*b" is a name like others */
}

/* One "name=value"; the text between parameters has been passed over. */
static void
take_param(struct mime_params *p, struct span *in)
{
	struct mime_param *m = &p->param[p->n];
	struct span name;
	size_t i;

	if (mime_token(in, &name) == -1 || in->n == 0 || in->p[0] != '=')
		return;
	span_take(in, 1);
	mime_skip(in);
	m->name = p->text.n;
	for (i = 0; i < name.n; i++)
		buf_char(&p->text, char_lower(name.p[i]));
	m->name_n = m->base_n = name.n;
	m->value = p->text.n;
	if (in->n > 0 && in->p[0] == '"')
		take_quoted(in, &p->text);
	else
		take_bare(in, &p->text);
	m->value_n = p->text.n - m->value;
	note_piece(m, name);
	p->n++;
}

/* To the next ';' that is not in a comment or in quotes. */
static void
skip_to_semicolon(struct span *in)
{
	size_t i;

	for (;;) {
		mime_skip(in);
		if (in->n == 0 || in->p[0] == ';')
			return;
		if (in->p[0] != '"') {
			span_take(in, 1);
			continue;
		}
		for (i = 1; i < in->n && in->p[i] != '"'; i++)
			if (in->p[i] == '\\')
				i++;
		span_take(in, i + 1);
	}
}

static void
put_percent(struct buf *b, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (is_token(s.p[i]) && s.p[i] != '*' && s.p[i] != '\'' &&
		    s.p[i] != '%' && (s.p[i] & 0x80) == 0) {
			buf_char(b, s.p[i]);
		} else {
			buf_char(b, '%');
			buf_hex(b, (unsigned char)s.p[i], 2);
		}
}

/* The piece numbered n of the same name as m, or NULL. */
static struct mime_param *
find_piece(struct mime_params *p, const struct mime_param *m, int n)
{
	struct span base =
	    span_slice(buf_get(&p->text), m->name, m->name + m->base_n);
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->param[i].piece == n && p->param[i].base_n == base.n &&
		    span_eq(base,
			span_slice(buf_get(&p->text), p->param[i].name,
			    p->param[i].name + base.n)))
			return &p->param[i];
	return NULL;
}

/* m is piece 0: it becomes the whole, the others are marked as used (-2). */
static void
join(struct mime_params *p, struct mime_param *m)
{
	struct mime_param whole = { .piece = -1 }, *x;
	struct buf name, value;
	int n;

	buf_init(&name, SIZE_MAX / 4);
	buf_init(&value, SIZE_MAX / 4);
	for (n = 0; (x = find_piece(p, m, n)) != NULL; n++)
		whole.extended |= x->extended;
	for (n = 0; (x = find_piece(p, m, n)) != NULL; n++) {
		struct span v = span_slice(
		    buf_get(&p->text), x->value, x->value + x->value_n);

		if (whole.extended && n == 0 && !x->extended)
			buf_str(&value, "''");
		if (whole.extended && !x->extended)
			put_percent(&value, v);
		else
			buf_span(&value, v);
		if (n > 0)
			x->piece = -2;
	}
	buf_span(
	    &name, span_slice(buf_get(&p->text), m->name, m->name + m->base_n));
	if (whole.extended)
		buf_char(&name, '*');
	whole.name = p->text.n;
	whole.name_n = name.n;
	whole.base_n = m->base_n;
	buf_span(&p->text, buf_get(&name));
	whole.value = p->text.n;
	whole.value_n = value.n;
	buf_span(&p->text, buf_get(&value));
	*m = whole;
	buf_fini(&name);
	buf_fini(&value);
}

void
mime_params_parse(struct mime_params *p, struct span in)
{
	size_t i, n = 0;

	buf_clear(&p->text);
	p->n = 0;
	for (;;) {
		skip_to_semicolon(&in);
		if (in.n == 0 || p->n == MIME_PARAMETERS_MAX)
			break;
		span_take(&in, 1);
		take_param(p, &in);
	}
	for (i = 0; i < p->n; i++)
		if (p->param[i].piece == 0)
			join(p, &p->param[i]);
	for (i = 0; i < p->n; i++)
		if (p->param[i].piece != -2)
			p->param[n++] = p->param[i];
	p->n = n;
}

/* A fold with the blanks around it is one blank. */
void
mime_unfold(struct span value, struct buf *out)
{
	struct span line;
	bool first = true;

	while (value.n > 0) {
		line = span_trim(span_line(&value));
		if (line.n == 0)
			continue;
		if (!first)
			buf_char(out, ' ');
		buf_span(out, line);
		first = false;
	}
}
