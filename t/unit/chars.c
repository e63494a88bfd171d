/* chars: each class against its RFC, in words; UTF-8 at all its edges. */
#include "lib/chars.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct class_case {
	const char *name;
	unsigned class;
	const char *members; /* beyond letters and digits */
	bool alnum;
} classes[] = {
	{ "atext, RFC 5322 3.2.3", CH_ATEXT, "!#$%&'*+-/=?^_`{|}~", true },
	{ "qtextSMTP, RFC 5321 4.1.2", CH_QTEXT,
	    " !#$%&'()*+,-./:;<=>?@[]^_`{|}~", true },
	{ "dcontent, RFC 5321 4.1.3", CH_DTEXT,
	    "!\"#$%&'()*+,-./:;<=>?@^_`{|}~", true },
	{ "ftext, RFC 5322 3.6.8", CH_FTEXT,
	    "!\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~", true },
	{ "base64, RFC 4648 4", CH_BASE64, "+/", true },
	{ "alnum", CH_ALNUM, "", true },
	{ "blank", CH_BLANK, " \t", false },
	{ "hex", CH_HEX, "0123456789abcdefABCDEF", false },
	{ "digit", CH_DIGIT, "0123456789", false },
};

static void
test_classes(void)
{
	const struct class_case *c;
	bool want, good;
	int i;

	for (c = classes; c < classes + nitems(classes); c++) {
		good = true;
		for (i = 0; i < 256; i++) {
			want = c->alnum && ((i >= '0' && i <= '9') ||
			    (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'));
			want = want || (i != 0 && strchr(c->members, i) != NULL);
			good = good && char_is((char)i, c->class) == want;
		}
		ok(good, c->name);
	}
	for (good = true, i = 0; i < 256; i++)
		good = good &&
		    char_is((char)i, CH_CTL) == (i < 32 || i == 127) &&
		    char_is((char)i, CH_PRINT) == (i >= 32 && i < 127) &&
		    char_is((char)i, CH_GRAPH) == (i > 32 && i < 127);
	ok(good, "controls, printing, graphic");
}

static void
test_case(void)
{
	bool good = true;
	int i;

	for (i = 0; i < 256; i++) {
		good = good && (unsigned char)char_lower((char)i) ==
		        (i >= 'A' && i <= 'Z' ? i + 32 : i);
		good = good && (unsigned char)char_upper((char)i) ==
		        (i >= 'a' && i <= 'z' ? i - 32 : i);
	}
	ok(good, "only A-Z and a-z have case");
	ok(char_hex('0') == 0 && char_hex('a') == 10 && char_hex('F') == 15 &&
	        char_hex('g') == -1 && char_hex('\xff') == -1, "hex values");
	ok(chars_all(SPAN_NONE, CH_DIGIT), "no byte is of any class");
	ok(chars_all(SPAN("123"), CH_DIGIT) && !chars_all(SPAN("12a"),
	        CH_DIGIT), "all or not");
}

static const struct utf8_case {
	const char *name, *in;
	size_t n;
	uint32_t cp;
} utf8s[] = {
	{ "ASCII", "a", 1, 'a' },
	{ "U+007F", "\x7f", 1, 0x7f },
	{ "U+0080", "\xc2\x80", 2, 0x80 },
	{ "U+07FF", "\xdf\xbf", 2, 0x7ff },
	{ "U+0800", "\xe0\xa0\x80", 3, 0x800 },
	{ "U+D7FF", "\xed\x9f\xbf", 3, 0xd7ff },
	{ "U+D800 is a surrogate", "\xed\xa0\x80", 0, 0 },
	{ "U+E000", "\xee\x80\x80", 3, 0xe000 },
	{ "U+FFFF", "\xef\xbf\xbf", 3, 0xffff },
	{ "U+10000", "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "U+10FFFF", "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	{ "U+110000", "\xf4\x90\x80\x80", 0, 0 },
	{ "F5", "\xf5\x80\x80\x80", 0, 0 },
	{ "FF", "\xff", 0, 0 },
	{ "a continuation alone", "\x80", 0, 0 },
	{ "overlong /", "\xc0\xaf", 0, 0 },
	{ "overlong, C1", "\xc1\xbf", 0, 0 },
	{ "overlong, three", "\xe0\x9f\xbf", 0, 0 },
	{ "overlong, four", "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "two, cut", "\xc2", 0, 0 },
	{ "three, cut", "\xe2\x82", 0, 0 },
	{ "four, cut", "\xf0\x90\x80", 0, 0 },
	{ "two, then ASCII", "\xc2" "a", 0, 0 },
	{ "empty", "", 0, 0 },
};

static void
test_utf8(void)
{
	const struct utf8_case *c;
	uint32_t cp;
	size_t n;

	for (c = utf8s; c < utf8s + nitems(utf8s); c++) {
		cp = 0;
		n = utf8_decode(span_str(c->in), &cp);
		ok(n == c->n && cp == c->cp &&
		        utf8_char(span_str(c->in)) == n, c->name);
	}
	ok(utf8_ok(SPAN("a\xc2\x80z")) && !utf8_ok(SPAN("a\xc2")), "whole text");
	ok(utf8_ok(SPAN_NONE), "no text is good text");
}

int
main(void)
{
	test_classes();
	test_case();
	test_utf8();
	return done();
}
