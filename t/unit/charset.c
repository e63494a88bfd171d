/* charset: names, tables, streams cut anywhere, iconv's before and after. */
#include "lib/charset.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/buf.h"
#include "t/unit/tap.h"

static const struct charset_case {
	const char *charset, *in, *out;
} cases[] = {
	{ "utf-8", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "aä€😀" },
	{ "UTF8",
	    "a\xc3"
	    "b\xff",
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd" },
	{ "us-ascii", "gr\xc3\xbc\xc3\x9f", "grüß" },
	{ "us-ascii", "gr\xfc\xdf", "grüß" },
	{ "", "\x80", "€" },
	{ "no-such", "\xe4", "ä" },
	{ "iso-8859-1", "\xe4\x80", "ä€" },
	{ "ISO_8859-2", "\xb1", "ą" },
	{ "iso8859-5", "\xdf", "п" },
	{ "iso-8859-7", "\xe1", "α" },
	{ "ISO-8859-8-I", "\xe0", "א" },
	{ "iso-8859-15", "\xa4", "€" },
	{ "latin2", "\xe8", "č" },
	{ "windows-1251", "\xcf", "П" },
	{ "cp1251", "\xcf", "П" },
	{ "x-cp1252", "\x80", "€" },
	{ "windows-1252", "\x81", "\xef\xbf\xbd" },
	{ "koi8-r", "\xf0", "П" },
	{ "KOI8-U", "\xa4", "є" },
	{ "cp866", "\x8f", "П" },
	{ "macintosh", "\x8a", "ä" },
};

/* Of iconv's, if it has them. */
static const struct charset_case far[] = {
	{ "gb2312", "\xc4\xe3", "你" },
	{ "GBK", "\x81\x40", "丂" },
	{ "gb18030", "\x81\x30\x81\x30", "\xc2\x80" },
	{ "big5", "\xa7\x41", "你" },
	{ "Shift_JIS", "\x82\xa0", "あ" },
	{ "euc-jp", "\xa4\xa2", "あ" },
	{ "iso-2022-jp", "\x1b$B$\"\x1b(Bx", "あx" },
	{ "euc-kr", "\xb0\xa1", "가" },
	{ "ks_c_5601-1987", "\xb0\xa1", "가" },
	{ "utf-7", "A+AOQ-b", "Aäb" },
	{ "windows-874", "\xa1", "ก" },
};

/* Whole, and in two pieces cut everywhere. */
static bool
converts(const struct charset_case *c)
{
	const struct charset *cs = charset_find(span_str(c->charset));
	struct span in = span_str(c->in);
	struct charset_stream s;
	bool good = true;
	struct buf b;
	size_t i;

	buf_init(&b, 1000);
	for (i = 0; i <= in.n; i++) {
		buf_clear(&b);
		charset_init(&s, cs);
		charset_bytes(&s, span_slice(in, 0, i), &b);
		charset_bytes(&s, span_slice(in, i, in.n), &b);
		charset_end(&s, &b);
		good &= span_eq(buf_get(&b), span_str(c->out));
	}
	buf_fini(&b);
	return good;
}

int
main(void)
{
	struct rlimit all, none;
	size_t i;

	for (i = 0; i < nitems(cases); i++)
		ok(converts(&cases[i]), cases[i].charset);
	ok(charset_find(SPAN("no-such")) == NULL, "an unknown charset");
	ok(charset_find(SPAN("")) == NULL, "no name is no charset");
	ok(charset_find(SPAN("windows-")) == NULL, "half a name is none");
	ok(charset_find(SPAN("cp")) == NULL, "half a short name is none");
	ok(charset_find(SPAN("utf-8")) == charset_utf8(), "UTF-8");
	ok(charset_find(SPAN("big5")) == NULL, "no iconv before the preload");
	charset_preload();
	charset_preload();
	/* From here on as in the sandbox: no file can be opened. */
	(void)getrlimit(RLIMIT_NOFILE, &all);
	none = all;
	none.rlim_cur = 0;
	ok(setrlimit(RLIMIT_NOFILE, &none) == 0 &&
		open("/dev/null", O_RDONLY) == -1,
	    "no file opens any more");
	for (i = 0; i < nitems(far); i++)
		if (charset_find(span_str(far[i].charset)) != NULL)
			ok(converts(&far[i]), far[i].charset);
		else
			printf("# iconv(3) lacks %s here\n", far[i].charset);
	ok(charset_ok(charset_utf8(), SPAN("\xc3\xa4")), "valid UTF-8");
	ok(!charset_ok(charset_utf8(), SPAN("\xc3")), "a cut character");
	ok(!charset_ok(charset_find(SPAN("cp1252")), SPAN("\x81")),
	    "a byte that means nothing");
	ok(charset_ok(charset_find(SPAN("cp1252")), SPAN("\x80")),
	    "one that does");
	(void)setrlimit(RLIMIT_NOFILE, &all);
	return done();
}
