/*
 * charset: names to tables. ISO-8859-1 is read as Windows-1252, which has it
 * in it, and US-ASCII as if no charset had been told, because that is what is
 * sent under their names.
 *
 * iconv(3): glibc reads its tables when a descriptor is opened, so all are
 * opened by charset_preload() and stay open; converting needs no system call
 * that the sandbox forbids.
 */
#include "lib/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/charset_table.h"

enum charset_kind { KIND_GUESS, KIND_UTF8, KIND_TABLE, KIND_ICONV };

struct charset {
	const char *name; /* lower case letters and digits only */
	enum charset_kind kind;
	int table; /* KIND_TABLE; KIND_ICONV: slot */
};

/* What iconv is asked for: what is really sent under a name, or the name. */
enum iconv_slot {
	GB18030,
	BIG5,
	SHIFT_JIS,
	EUC_JP,
	ISO_2022_JP,
	EUC_KR,
	ISO_2022_KR,
	ISO_2022_CN,
	UTF7,
	UTF16,
	UTF16BE,
	UTF16LE,
	UTF32,
	TIS620,
	ICONVS
};
static const char *const iconv_names[ICONVS][2] = {
	[GB18030] = { "GB18030", "GBK" },
	[BIG5] = { "BIG5-HKSCS", "BIG5" },
	[SHIFT_JIS] = { "CP932", "SHIFT_JIS" },
	[EUC_JP] = { "EUC-JP-MS", "EUC-JP" },
	[ISO_2022_JP] = { "ISO-2022-JP-MS", "ISO-2022-JP" },
	[EUC_KR] = { "CP949", "EUC-KR" },
	[ISO_2022_KR] = { "ISO-2022-KR", NULL },
	[ISO_2022_CN] = { "ISO-2022-CN-EXT", "ISO-2022-CN" },
	[UTF7] = { "UTF-7", NULL },
	[UTF16] = { "UTF-16", NULL },
	[UTF16BE] = { "UTF-16BE", NULL },
	[UTF16LE] = { "UTF-16LE", NULL },
	[UTF32] = { "UTF-32", NULL },
	[TIS620] = { "CP874", "TIS-620" },
};
static iconv_t opened[ICONVS];
static bool known[ICONVS];

/* clang-format off */
static const struct charset charsets[] = {
	{ "utf8", KIND_UTF8, 0 },
	{ "unicode11utf8", KIND_UTF8, 0 },
	{ "usascii", KIND_GUESS, 0 },
	{ "ascii", KIND_GUESS, 0 },
	{ "ansix341968", KIND_GUESS, 0 },
	{ "unknown8bit", KIND_GUESS, 0 },
	{ "iso88591", KIND_TABLE, CHARSET_CP1252 },
	{ "latin1", KIND_TABLE, CHARSET_CP1252 },
	{ "iso88592", KIND_TABLE, CHARSET_ISO8859_2 },
	{ "latin2", KIND_TABLE, CHARSET_ISO8859_2 },
	{ "iso88593", KIND_TABLE, CHARSET_ISO8859_3 },
	{ "iso88594", KIND_TABLE, CHARSET_ISO8859_4 },
	{ "iso88595", KIND_TABLE, CHARSET_ISO8859_5 },
	{ "iso88596", KIND_TABLE, CHARSET_ISO8859_6 },
	{ "iso88597", KIND_TABLE, CHARSET_ISO8859_7 },
	{ "iso88598", KIND_TABLE, CHARSET_ISO8859_8 },
	{ "iso88598i", KIND_TABLE, CHARSET_ISO8859_8 },
	{ "iso88599", KIND_TABLE, CHARSET_ISO8859_9 },
	{ "latin5", KIND_TABLE, CHARSET_ISO8859_9 },
	{ "iso885910", KIND_TABLE, CHARSET_ISO8859_10 },
	{ "iso885911", KIND_TABLE, CHARSET_ISO8859_11 },
	{ "iso885913", KIND_TABLE, CHARSET_ISO8859_13 },
	{ "iso885914", KIND_TABLE, CHARSET_ISO8859_14 },
	{ "iso885915", KIND_TABLE, CHARSET_ISO8859_15 },
	{ "latin9", KIND_TABLE, CHARSET_ISO8859_15 },
	{ "iso885916", KIND_TABLE, CHARSET_ISO8859_16 },
	{ "windows1250", KIND_TABLE, CHARSET_CP1250 },
	{ "windows1251", KIND_TABLE, CHARSET_CP1251 },
	{ "windows1252", KIND_TABLE, CHARSET_CP1252 },
	{ "windows1253", KIND_TABLE, CHARSET_CP1253 },
	{ "windows1254", KIND_TABLE, CHARSET_CP1254 },
	{ "windows1255", KIND_TABLE, CHARSET_CP1255 },
	{ "windows1256", KIND_TABLE, CHARSET_CP1256 },
	{ "windows1257", KIND_TABLE, CHARSET_CP1257 },
	{ "windows1258", KIND_TABLE, CHARSET_CP1258 },
	{ "koi8r", KIND_TABLE, CHARSET_KOI8_R },
	{ "koi8u", KIND_TABLE, CHARSET_KOI8_U },
	{ "ibm437", KIND_TABLE, CHARSET_CP437 },
	{ "ibm850", KIND_TABLE, CHARSET_CP850 },
	{ "ibm852", KIND_TABLE, CHARSET_CP852 },
	{ "ibm866", KIND_TABLE, CHARSET_CP866 },
	{ "macintosh", KIND_TABLE, CHARSET_MAC_ROMAN },
	{ "macroman", KIND_TABLE, CHARSET_MAC_ROMAN },
	{ "gb2312", KIND_ICONV, GB18030 },
	{ "gbk", KIND_ICONV, GB18030 },
	{ "gb18030", KIND_ICONV, GB18030 },
	{ "euccn", KIND_ICONV, GB18030 },
	{ "windows936", KIND_ICONV, GB18030 },
	{ "big5", KIND_ICONV, BIG5 },
	{ "big5hkscs", KIND_ICONV, BIG5 },
	{ "windows950", KIND_ICONV, BIG5 },
	{ "shiftjis", KIND_ICONV, SHIFT_JIS },
	{ "sjis", KIND_ICONV, SHIFT_JIS },
	{ "windows31j", KIND_ICONV, SHIFT_JIS },
	{ "windows932", KIND_ICONV, SHIFT_JIS },
	{ "eucjp", KIND_ICONV, EUC_JP },
	{ "iso2022jp", KIND_ICONV, ISO_2022_JP },
	{ "iso2022jp2", KIND_ICONV, ISO_2022_JP },
	{ "euckr", KIND_ICONV, EUC_KR },
	{ "ksc56011987", KIND_ICONV, EUC_KR },
	{ "windows949", KIND_ICONV, EUC_KR },
	{ "uhc", KIND_ICONV, EUC_KR },
	{ "iso2022kr", KIND_ICONV, ISO_2022_KR },
	{ "iso2022cn", KIND_ICONV, ISO_2022_CN },
	{ "utf7", KIND_ICONV, UTF7 },
	{ "unicode11utf7", KIND_ICONV, UTF7 },
	{ "utf16", KIND_ICONV, UTF16 },
	{ "utf16be", KIND_ICONV, UTF16BE },
	{ "utf16le", KIND_ICONV, UTF16LE },
	{ "utf32", KIND_ICONV, UTF32 },
	{ "tis620", KIND_ICONV, TIS620 },
	{ "windows874", KIND_ICONV, TIS620 },
};
/* clang-format on */

void
charset_preload(void)
{
	size_t i, j;

	for (i = 0; i < ICONVS; i++)
		for (j = 0; j < 2 && !known[i]; j++) {
			if (iconv_names[i][j] == NULL)
				continue;
			opened[i] = iconv_open("UTF-8", iconv_names[i][j]);
			known[i] = opened[i] != (iconv_t)-1;
		}
}

/* Letters and digits of it, in lower case; "x-" in front goes. */
static void
plain_name(struct span given, struct buf *out)
{
	size_t i;

	if (span_istarts(given, SPAN("x-")))
		span_take(&given, 2);
	for (i = 0; i < given.n; i++)
		if (char_is(given.p[i], CH_ALNUM))
			buf_char(out, char_lower(given.p[i]));
}

/* prefix and rest together are one of the names. */
static const struct charset *
find(const char *prefix, struct span rest)
{
	size_t n = strlen(prefix), i;
	struct span name;

	for (i = 0; i < nitems(charsets); i++) {
		name = span_str(charsets[i].name);
		if (span_starts(name, span_str(prefix)) &&
		    span_eq(span_slice(name, n, name.n), rest))
			return &charsets[i];
	}
	return NULL;
}

const struct charset *
charset_find(struct span given)
{
	const struct charset *c = NULL;
	struct span name;
	struct buf b;

	buf_init(&b, 40);
	plain_name(given, &b);
	name = b.bad ? SPAN_NONE : buf_get(&b);
	if (name.n > 0)
		c = find("", name);
	if (c == NULL && span_starts(name, SPAN("cp"))) {
		c = find("windows", span_slice(name, 2, name.n));
		if (c == NULL)
			c = find("ibm", span_slice(name, 2, name.n));
	}
	buf_fini(&b);
	if (c != NULL && c->kind == KIND_ICONV && !known[c->table])
		return NULL;
	return c;
}

static bool
is_guess(const struct charset *c)
{
	return c == NULL || c->kind == KIND_GUESS;
}

const struct charset *
charset_utf8(void)
{
	return &charsets[0];
}

void
charset_init(struct charset_stream *s, const struct charset *c)
{
	*s = (struct charset_stream){ .charset = c };
	if (c != NULL && c->kind == KIND_ICONV)
		(void)iconv(opened[c->table], NULL, NULL, NULL, NULL);
}

static size_t
ascii_run(struct span in)
{
	size_t n = 0;

	while (n < in.n && (in.p[n] & 0x80) == 0)
		n++;
	return n;
}

static void
put_byte(int table, char c, struct buf *out)
{
	buf_utf8(out, charset_tables[table][(unsigned char)c - 128]);
}

static void
table_bytes(int table, struct span in, struct buf *out)
{
	while (in.n > 0) {
		buf_span(out, span_take(&in, ascii_run(in)));
		if (in.n > 0)
			put_byte(table, span_take(&in, 1).p[0], out);
	}
}

/* The front of a character whose end is not there yet. */
static bool
is_cut(struct span in)
{
	unsigned char c = (unsigned char)in.p[0];
	size_t need = c >= 0xf0 && c <= 0xf4 ? 4
	    : c >= 0xe0 && c <= 0xef         ? 3
	    : c >= 0xc2 && c <= 0xdf         ? 2
					     : 0,
	       i;

	if (in.n >= need)
		return false;
	for (i = 1; i < in.n; i++)
		if ((in.p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* What is no UTF-8 is wrong, or of a charset that was not told. */
static void
put_wrong(const struct charset *c, char byte, struct buf *out)
{
	if (!is_guess(c))
		buf_utf8(out, 0xfffd);
	else
		put_byte(CHARSET_CP1252, byte, out);
}

/* Returns what is left of in: the beginning of a character. */
static struct span
utf8_bytes(const struct charset *c, struct span in, struct buf *out)
{
	size_t n;

	while (in.n > 0) {
		buf_span(out, span_take(&in, ascii_run(in)));
		if (in.n == 0)
			break;
		n = utf8_char(in);
		if (n > 0) {
			buf_span(out, span_take(&in, n));
			continue;
		}
		if (is_cut(in))
			break;
		put_wrong(c, span_take(&in, 1).p[0], out);
	}
	return in;
}

static struct span
iconv_bytes(const struct charset *c, struct span in, struct buf *out)
{
	char text[1024], *p = (char *)(uintptr_t)in.p, *q;
	size_t left = in.n, room, r;

	while (left > 0) {
		q = text;
		room = sizeof(text);
		r = iconv(opened[c->table], &p, &left, &q, &room);
		buf_bytes(out, text, sizeof(text) - room);
		if (r != (size_t)-1 || errno == E2BIG)
			continue;
		if (errno == EINVAL &&
		    left < sizeof(((struct charset_stream *)0)->held))
			break;
		p++; /* EILSEQ */
		left--;
		buf_utf8(out, 0xfffd);
	}
	return span_of(p, left);
}

static struct span
convert(const struct charset *c, struct span in, struct buf *out)
{
	if (is_guess(c) || c->kind == KIND_UTF8)
		return utf8_bytes(c, in, out);
	if (c->kind == KIND_ICONV)
		return iconv_bytes(c, in, out);
	table_bytes(c->table, in, out);
	return SPAN_NONE;
}

void
charset_bytes(struct charset_stream *s, struct span in, struct buf *out)
{
	char bytes[2 * sizeof(s->held)];
	struct span left;
	size_t n, was;

	while (s->n > 0 && in.n > 0) {
		/* What is held, with enough of in to make it whole. */
		was = s->n;
		memcpy(bytes, s->held, was);
		n = in.n < sizeof(s->held) ? in.n : sizeof(s->held);
		memcpy(bytes + was, in.p, n);
		left = convert(s->charset, span_of(bytes, was + n), out);
		if (left.n <= n) { /* the rest is in's own */
			s->n = 0;
			span_take(&in, n - left.n);
		} else { /* not yet */
			s->n = left.n < sizeof(s->held) ? left.n : 0;
			memcpy(s->held, left.p, s->n);
			span_take(&in, n);
		}
	}
	if (in.n == 0)
		return;
	left = convert(s->charset, in, out);
	s->n = left.n < sizeof(s->held) ? left.n : 0;
	if (s->n > 0)
		memcpy(s->held, left.p, s->n);
}

void
charset_end(struct charset_stream *s, struct buf *out)
{
	size_t i;

	if (s->n > 0 && !is_guess(s->charset))
		buf_utf8(out, 0xfffd);
	for (i = 0; i < s->n && is_guess(s->charset); i++)
		put_wrong(NULL, s->held[i], out);
	s->n = 0;
}

void
charset_text(const struct charset *c, struct span in, struct buf *out)
{
	struct charset_stream s;

	charset_init(&s, c);
	charset_bytes(&s, in, out);
	charset_end(&s, out);
}

bool
charset_ok(const struct charset *c, struct span in)
{
	static const char none[] = "\xef\xbf\xbd"; /* U+FFFD */
	struct buf b;
	bool ok;

	if (is_guess(c) || c->kind == KIND_UTF8)
		return utf8_ok(in);
	buf_init(&b, SIZE_MAX / 4);
	charset_text(c, in, &b);
	ok = b.n == 0 || memmem(b.p, b.n, none, sizeof(none) - 1) == NULL;
	buf_fini(&b);
	return ok;
}
