/* content: what stands in a message, however it is cut. */
#include "lib/content.h"

#include <string.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

enum { MAX = SMTP_TEXT_LINE_MAX };

static char text[4 * MAX];

/* The same, whole and cut at every byte. */
static bool
is(size_t n, bool eight_bit, bool long_line)
{
	struct span s = span_of(text, n);
	struct content c = content_of(s);
	bool good = c.eight_bit == eight_bit && c.long_line == long_line;
	size_t i;

	for (i = 0; i <= n; i++) {
		c = (struct content){ .column = 0 };
		content_scan(&c, span_slice(s, 0, i));
		content_scan(&c, span_slice(s, i, n));
		good &= c.eight_bit == eight_bit && c.long_line == long_line;
	}
	c = (struct content){ .column = 0 };
	for (i = 0; i < n; i++)
		content_scan(&c, span_slice(s, i, i + 1));
	return good && c.eight_bit == eight_bit && c.long_line == long_line;
}

int
main(void)
{
	bool good = true;
	size_t i;

	memset(text, 'a', sizeof(text));
	ok(is(0, false, false), "nothing");
	ok(is(MAX, false, false), "998 octets and no line end");
	ok(is(MAX + 1, false, true), "999 octets");
	text[MAX] = '\n';
	ok(is(MAX + 1, false, false), "998 octets and a line end");
	ok(is(2 * MAX + 1, false, false), "twice");
	ok(is(2 * MAX + 2, false, true), "the second line has one more");
	text[MAX] = 'a';
	text[MAX + 1] = '\n';
	ok(is(MAX + 2, false, true), "999 octets and a line end");
	memset(text, '\n', sizeof(text));
	ok(is(sizeof(text), false, false), "empty lines");
	for (i = 0; i < 100; i++) {
		memset(text, '\x7f', 100);
		text[i] = '\x80';
		good &= content_of(span_of(text, 100)).eight_bit;
		good &= !content_of(span_of(text, i)).eight_bit;
	}
	ok(good, "a byte over 127, wherever it is");
	return done();
}
