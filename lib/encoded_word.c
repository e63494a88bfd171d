/*
 * encoded_word: RFC 2047 2 and 6.2, leniently: words may touch other text
 * and be longer than 75. Bytes of neighbours in the same charset are joined
 * before they are converted, because senders cut characters in two.
 */
#include "lib/encoded_word.h"

#include "lib/buf.h"
#include "lib/charset.h"
#include "lib/chars.h"
#include "lib/decode.h"

struct word {
	const struct charset *charset;
	char kind; /* 'b' or 'q' */
	struct span text;
};

/* "charset*language?k?" off the front of *in, which follows "=?". */
static bool
word_head(struct span *in, struct word *w)
{
	size_t end = span_find(*in, '?');
	struct span name;

	if (end == in->n || end > 64 || in->n - end < 4 ||
	    in->p[end + 2] != '?')
		return false;
	name = span_slice(*in, 0, end);
	w->charset = charset_find(span_cut(&name, '*')); /* RFC 2231 5 */
	w->kind = char_lower(in->p[end + 1]);
	span_take(in, end + 3);
	return w->charset != NULL && (w->kind == 'b' || w->kind == 'q');
}

/* An encoded word off the front. */
static bool
take_word(struct span *in, struct word *w)
{
	struct span s = *in;
	size_t n;

	if (!span_starts(s, SPAN("=?")))
		return false;
	span_take(&s, 2);
	if (!word_head(&s, w))
		return false;
	for (n = 0; n < s.n && s.p[n] != '?' && s.p[n] != '\n'; n++)
		;
	if (n + 1 >= s.n || s.p[n] != '?' || s.p[n + 1] != '=')
		return false;
	w->text = span_take(&s, n);
	span_take(&s, 2);
	*in = s;
	return true;
}

/* RFC 2047 4.2: as quoted-printable, but "_" is a blank. */
static void
word_bytes(const struct word *w, struct buf *out)
{
	struct span s = w->text;
	struct decode d;
	int hi, lo;

	if (w->kind == 'b') {
		decode_init(&d, DECODE_BASE64);
		decode_bytes(&d, s, out);
		decode_end(&d, out);
		return;
	}
	while (s.n > 0) {
		hi = s.n >= 3 && s.p[0] == '=' ? char_hex(s.p[1]) : -1;
		lo = hi == -1 ? -1 : char_hex(s.p[2]);
		if (lo != -1)
			buf_char(out, (char)(unsigned char)(hi << 4 | lo));
		else
			buf_char(out, s.p[0] == '_' ? ' ' : s.p[0]);
		span_take(&s, lo == -1 ? 1 : 3);
	}
}

static size_t
blanks(struct span s)
{
	size_t n = 0;

	while (n < s.n && char_is(s.p[n], CH_FWS))
		n++;
	return n;
}

/* Words that follow each other, the first taken already. */
static void
take_run(struct span *in, struct word w, struct buf *out)
{
	const struct charset *charset = w.charset;
	struct span s;
	struct buf bytes;

	buf_init(&bytes, SIZE_MAX / 4);
	for (;;) {
		word_bytes(&w, &bytes);
		s = *in;
		span_take(&s, blanks(s)); /* RFC 2047 6.2: they go */
		if (!take_word(&s, &w))
			break;
		*in = s;
		if (w.charset != charset) {
			charset_text(charset, buf_get(&bytes), out);
			buf_clear(&bytes);
			charset = w.charset;
		}
	}
	charset_text(charset, buf_get(&bytes), out);
	buf_fini(&bytes);
}

/* Text between words; folds go. */
static void
put_text(struct span s, struct buf *out)
{
	size_t n;

	while (s.n > 0) {
		for (n = 0; n < s.n && s.p[n] != '\r' && s.p[n] != '\n'; n++)
			;
		charset_text(NULL, span_take(&s, n), out);
		span_take(&s, 1);
	}
}

void
encoded_word_decode(struct span value, struct buf *out)
{
	struct span rest;
	struct word w;
	size_t n = 0;

	/* value[0, n) has been looked at, and holds no word. */
	while (n < value.n) {
		rest = span_slice(value, n, value.n);
		if (rest.p[0] == '=' && take_word(&rest, &w)) {
			put_text(span_slice(value, 0, n), out);
			take_run(&rest, w, out);
			value = rest;
			n = 0;
		} else {
			n++;
		}
	}
	put_text(value, out);
}
