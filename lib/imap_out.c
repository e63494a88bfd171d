/*
 * imap_out: RFC 3501 9, the server's half. Invariants: between responses
 * line, code, tight are false and depth, literal are 0; b never holds more
 * than GATHER bytes (larger pieces go to the sink as they are, uncopied); no
 * byte that is not ours gets out but inside a quoted string, a literal or,
 * made harmless, the text of a status response.
 */
#include "lib/imap_out.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/die.h"

enum {
	GATHER = 48 * 1024,
	DIRECT = 24 * 1024,/* from this size on without a copy */
	QUOTED_MAX = 1024, /* longer strings are literals */
	NUL_TOLD = 0x80,   /* NUL is told as this (RFC 3501 9, CHAR8) */
};

/* What is gathered goes; the memory stays. */
static void
spill(struct imap_out *o)
{
	if (o->b->n > 0 && !o->gone && o->sink(o->arg, buf_get(o->b)) == -1)
		o->gone = true;
	buf_clear(o->b);
}

static void
put(struct imap_out *o, struct span s)
{
	if (o->gone)
		return;
	if (s.n < DIRECT && s.n <= GATHER - o->b->n) {
		buf_span(o->b, s);
		return;
	}
	spill(o);
	if (s.n < DIRECT)
		buf_span(o->b, s);
	else if (!o->gone && o->sink(o->arg, s) == -1)
		o->gone = true;
}

static void
put_str(struct imap_out *o, const char *s)
{
	put(o, span_str(s));
}

static void
put_char(struct imap_out *o, char c)
{
	if (!o->gone && o->b->n < GATHER)
		buf_char(o->b, c);
	else
		put(o, span_of(&c, 1));
}

static void
put_num(struct imap_out *o, uint64_t n)
{
	if (o->b->n > GATHER - 20) /* digits of 2^64 */
		spill(o);
	if (!o->gone)
		buf_num(o->b, n);
}

void
out_init(struct imap_out *o, imap_sink_fn *sink, void *arg)
{
	*o = (struct imap_out){ .sink = sink, .arg = arg };
	o->b = xmalloc(sizeof(*o->b));
	buf_init(o->b, GATHER);
}

void
out_fini(struct imap_out *o)
{
	if (o->b != NULL)
		buf_fini(o->b);
	free(o->b);
	*o = (struct imap_out){ .gone = true };
}

int
out_flush(struct imap_out *o)
{
	spill(o);
	buf_trim(o->b);
	return o->gone ? -1 : 0;
}

/* The blank before an item, where one belongs. */
static void
item(struct imap_out *o)
{
	assert(o->line && o->literal == 0);
	if (!o->tight)
		put_char(o, ' ');
	o->tight = false;
}

static void
begin(struct imap_out *o, struct span tag)
{
	assert(!o->line && o->depth == 0 && o->literal == 0);
	assert(chars_all(tag, CH_GRAPH));
	o->line = true;
	if (tag.n == 0)
		put_char(o, '*');
	else
		put(o, tag);
}

void
out_untagged(struct imap_out *o)
{
	begin(o, SPAN_NONE);
}

void
out_end(struct imap_out *o)
{
	assert(o->line && !o->code && !o->tight);
	assert(o->depth == 0 && o->literal == 0);
	o->line = false;
	put(o, SPAN("\r\n"));
}

/*
 * Text of a person or of another program: one line, ASCII (UTF-8 where the
 * client wants it), not empty, and no '[' first, which would be a code.
 */
static void
put_text(struct imap_out *o, struct span s, const char *never)
{
	size_t n;

	if (s.n == 0 || s.p[0] == '[')
		put_char(o, s.n == 0 ? '-' : '?');
	while (s.n > 0) {
		n = utf8_char(s);
		if (n > 1 && o->utf8)
			put(o, span_slice(s, 0, n));
		else if (char_is(s.p[0], CH_PRINT) &&
		    strchr(never, s.p[0]) == NULL)
			put_char(o, s.p[0]);
		else
			put_char(o, '?');
		span_take(&s, n == 0 ? 1 : n);
	}
}

void
out_continue(struct imap_out *o, const char *text)
{
	assert(!o->line && o->depth == 0 && o->literal == 0);
	put_str(o, "+ ");
	/* An empty challenge of AUTHENTICATE is empty (RFC 3501 7.5). */
	if (*text != '\0')
		put_text(o, span_str(text), "");
	put(o, SPAN("\r\n"));
}

void
out_status_begin(struct imap_out *o, struct span tag, enum out_status st)
{
	static const char *const words[] = {
		[OUT_OK] = "OK",
		[OUT_NO] = "NO",
		[OUT_BAD] = "BAD",
		[OUT_BYE] = "BYE",
		[OUT_PREAUTH] = "PREAUTH",
	};

	begin(o, tag);
	item(o);
	put_str(o, words[st]);
}

void
out_code_open(struct imap_out *o, const char *atom)
{
	assert(!o->code && o->depth == 0);
	item(o);
	o->code = true;
	put_char(o, '[');
	put_str(o, atom);
}

void
out_code_close(struct imap_out *o)
{
	assert(o->code && !o->tight && o->depth == 0 && o->literal == 0);
	o->code = false;
	put_char(o, ']');
}

void
out_status_end(struct imap_out *o, const char *text)
{
	assert(!o->code && o->depth == 0);
	item(o);
	put_text(o, span_str(text), "");
	out_end(o);
}

void
out_status(struct imap_out *o, struct span tag, enum out_status st,
    const char *code, const char *text)
{
	out_status_begin(o, tag, st);
	if (code != NULL) {
		out_code_open(o, "");
		put_text(o, span_str(code), "[]");
		out_code_close(o);
	}
	out_status_end(o, text);
}

enum byte { /* what its being somewhere in a string means */
	B_NO_WORD = 1,
	B_NO_TEXT = 2, /* not in a quoted string */
	B_HIGH = 4,
	B_QUOTE = 8,
	B_BACKSLASH = 16,
	B_STAR = 32,
};

/* clang-format off */
static const unsigned char bytes[256] = {
	[1 ... 9] = B_NO_WORD, [11 ... 12] = B_NO_WORD,
	[14 ... ' '] = B_NO_WORD,
	['\0'] = B_NO_WORD | B_NO_TEXT,
	['\r'] = B_NO_WORD | B_NO_TEXT, ['\n'] = B_NO_WORD | B_NO_TEXT,
	['('] = B_NO_WORD, [')'] = B_NO_WORD, ['{'] = B_NO_WORD,
	['%'] = B_NO_WORD,
	['"'] = B_NO_WORD | B_QUOTE, ['\\'] = B_BACKSLASH, ['*'] = B_STAR,
	[0x7f] = B_NO_WORD,
	[0x80 ... 0xff] = B_NO_WORD | B_HIGH,
};
/* clang-format on */

/*
 * Words of ours: atoms, flags, and the pieces of "BODY[1.HEADER.FIELDS (TO)]"
 * and "BODY[]<0>", which are more than an atom may hold.
 */
static bool
is_word(struct span s)
{
	unsigned all = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		all |= bytes[(unsigned char)s.p[i]];
	if ((all & (B_NO_WORD | B_STAR | B_BACKSLASH)) == 0)
		return s.n > 0;
	if ((all & B_NO_WORD) != 0)
		return false;
	for (i = 0; i < s.n; i++)
		if ((s.p[i] == '\\' && i != 0) ||
		    (s.p[i] == '*' && !(i == 1 && s.p[0] == '\\')))
			return false;
	return true;
}

void
out_atom_span(struct imap_out *o, struct span s)
{
	assert(is_word(s));
	item(o);
	put(o, s);
}

void
out_atom(struct imap_out *o, const char *s)
{
	out_atom_span(o, span_str(s));
}

void
out_num(struct imap_out *o, uint64_t n)
{
	item(o);
	put_num(o, n);
}

void
out_nil(struct imap_out *o)
{
	item(o);
	put(o, SPAN("NIL"));
}

static void
put_quoted(struct imap_out *o, struct span s, bool escapes)
{
	size_t n;

	put_char(o, '"');
	while (escapes && s.n > 0) {
		for (n = 0; n < s.n; n++)
			if (s.p[n] == '"' || s.p[n] == '\\')
				break;
		put(o, span_take(&s, n));
		if (s.n > 0) {
			put_char(o, '\\');
			put(o, span_take(&s, 1));
		}
	}
	put(o, s);
	put_char(o, '"');
}

/* RFC 3501 9 TEXT-CHAR, RFC 6855 3 with utf8. */
void
out_string(struct imap_out *o, struct span s)
{
	unsigned all = s.n > QUOTED_MAX ? B_NO_TEXT : 0;
	size_t i;

	for (i = 0; i < s.n && (all & B_NO_TEXT) == 0; i++)
		all |= bytes[(unsigned char)s.p[i]];
	if ((all & B_NO_TEXT) != 0 ||
	    ((all & B_HIGH) != 0 && !(o->utf8 && utf8_ok(s)))) {
		out_literal(o, s.n);
		out_literal_bytes(o, s);
		return;
	}
	item(o);
	put_quoted(o, s, (all & (B_QUOTE | B_BACKSLASH)) != 0);
}

void
out_nstring(struct imap_out *o, struct span s, bool nil)
{
	if (nil)
		out_nil(o);
	else
		out_string(o, s);
}

/*
 * An atom where it needs no quotes; NIL would be read as none, and '[' as
 * the beginning of a section.
 */
static bool
is_astring(struct span s)
{
	size_t i;

	if (s.n == 0 || s.n > QUOTED_MAX || span_ieq(s, SPAN("NIL")))
		return false;
	for (i = 0; i < s.n; i++)
		if (!char_is(s.p[i], CH_GRAPH) ||
		    strchr("(){%*\"\\[]", s.p[i]) != NULL)
			return false;
	return true;
}

void
out_astring(struct imap_out *o, struct span s)
{
	if (is_astring(s))
		out_atom_span(o, s);
	else
		out_string(o, s);
}

void
out_date_time(struct imap_out *o, int64_t when)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int64_t first = -62135596800, last = 253402300799;
	struct buf b;
	struct tm tm;
	time_t t;

	/* Four digits of year (RFC 3501 9 date-year). */
	t = (time_t)(when < first ? first : when > last ? last : when);
	if (gmtime_r(&t, &tm) == NULL)
		die("gmtime_r");
	buf_init(&b, 64);
	buf_fmt(&b, "\"%2d-%.3s-%04d %02d:%02d:%02d +0000\"", tm.tm_mday,
	    months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	assert(!b.bad);
	item(o);
	put(o, buf_get(&b));
	buf_fini(&b);
}

void
out_set(struct imap_out *o, const uint32_t *sorted, size_t n)
{
	size_t i, j;

	assert(n > 0);
	item(o);
	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && sorted[j] == sorted[j - 1] + 1; j++)
			;
		assert(j == n || sorted[j] > sorted[j - 1]);
		if (i > 0)
			put_char(o, ',');
		put_num(o, sorted[i]);
		if (j - i > 1) {
			put_char(o, ':');
			put_num(o, sorted[j - 1]);
		}
	}
}

void
out_open(struct imap_out *o)
{
	item(o);
	put_char(o, '(');
	o->depth++;
	o->tight = true;
}

void
out_close(struct imap_out *o)
{
	assert(o->line && o->depth > 0 && o->literal == 0);
	o->depth--;
	o->tight = false;
	put_char(o, ')');
}

void
out_tight(struct imap_out *o)
{
	assert(o->line && o->literal == 0);
	o->tight = true;
}

void
out_literal(struct imap_out *o, uint64_t n)
{
	item(o);
	put_char(o, '{');
	put_num(o, n);
	put(o, SPAN("}\r\n"));
	o->literal = n;
}

/* As s, but NUL. */
static void
put_without_nul(struct imap_out *o, struct span s)
{
	for (;;) {
		put(o, span_take(&s, span_find(s, '\0')));
		if (s.n == 0)
			return;
		span_take(&s, 1);
		put_char(o, (char)NUL_TOLD);
	}
}

void
out_literal_bytes(struct imap_out *o, struct span s)
{
	assert(o->line && s.n <= o->literal);
	o->literal -= s.n;
	put_without_nul(o, s);
}

void
out_made(struct imap_out *o, struct span s)
{
	item(o);
	put(o, s);
}
