/* reply: copies of what others said are safe, bounded and terminated. */
#include "lib/reply.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct reply_case {
	const char *name;
	const char *enhanced, *text;
	const char *kept, *said;
} cases[] = {
	{ "plain", "5.1.1", "no such user", "5.1.1", "no such user" },
	{ "no enhanced code", "", "no", "", "no" },
	{ "a wrong class", "3.1.1", "no", "", "no" },
	{ "not three numbers", "5.1", "no", "", "no" },
	{ "four numbers", "5.1.1.1", "no", "", "no" },
	{ "long numbers", "5.1234.1", "no", "", "no" },
	{ "a stranger's bytes as code", "5.1.1\r\nX: y", "no", "", "no" },
	{ "the longest code", "5.123.456", "no", "5.123.456", "no" },
	{ "line ends cannot pass", "", "a\r\nRCPT TO:<x>", "",
	    "a??RCPT TO:<x>" },
	{ "escape sequences cannot pass", "", "\033[2J", "", "?[2J" },
	{ "empty text", "2.0.0", "", "2.0.0", "" },
};

int
main(void)
{
	const struct reply_case *c;
	struct reply_copy r;
	char longest[600];

	for (c = cases; c < cases + nitems(cases); c++) {
		reply_set(&r, 550, c->enhanced, span_str(c->text));
		ok(r.code == 550 && strcmp(r.enhanced, c->kept) == 0 &&
		        strcmp(r.text, c->said) == 0, c->name);
	}
	memset(longest, 'x', sizeof(longest));
	reply_set(&r, 451, "4.0.0", span_of(longest, sizeof(longest)));
	ok(strlen(r.text) == sizeof(r.text) - 1, "long text is cut");
	reply_set(&r, 451, "4.0.0", span_of(longest, sizeof(r.text) - 1));
	ok(strlen(r.text) == sizeof(r.text) - 1, "what fits is whole");
	ok(reply_is_permanent(550) && !reply_is_permanent(450), "permanent");
	ok(R_PENDING.code == 0, "pending is no reply");
	return done();
}
