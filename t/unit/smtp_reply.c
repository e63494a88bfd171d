/* smtp_reply: other servers' answers, line by line. */
#include "lib/smtp_reply.h"

#include <string.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

struct reply_case {
	const char *name;
	struct span wire; /* lines with LF */
	enum smtp_reply_got got;
	int code;
	const char *enhanced;
	struct span text;
};

#define S(lit) { "" lit, sizeof(lit) - 1 }

static const struct reply_case cases[] = {
	{ "one line", S("250 ok\n"), REPLY_WHOLE, 250, "", S("ok") },
	{ "a code alone", S("250\n"), REPLY_WHOLE, 250, "", S("") },
	{ "a code and a blank", S("250 \n"), REPLY_WHOLE, 250, "", S("") },
	{ "many lines", S("250-a\n250-b\n250 c\n"), REPLY_WHOLE, 250, "",
	    S("a\nb\nc") },
	{ "empty lines of text", S("250-\n250\n"), REPLY_WHOLE, 250, "",
	    S("\n") },
	{ "an enhanced code", S("550 5.1.1 no\n"), REPLY_WHOLE, 550, "5.1.1",
	    S("no") },
	{ "an enhanced code alone", S("250 2.0.0\n"), REPLY_WHOLE, 250,
	    "2.0.0", S("") },
	{ "three digits each", S("450 4.123.456 x\n"), REPLY_WHOLE, 450,
	    "4.123.456", S("x") },
	{ "it is repeated", S("550-5.1.1 a\n550 5.1.1 b\n"), REPLY_WHOLE, 550,
	    "5.1.1", S("a\nb") },
	{ "another one stays text", S("550-5.1.1 a\n550 5.1.2 b\n"),
	    REPLY_WHOLE, 550, "5.1.1", S("a\n5.1.2 b") },
	{ "of another class it is text", S("550 4.1.1 a\n"), REPLY_WHOLE, 550,
	    "", S("4.1.1 a") },
	{ "an address is no code", S("550 5.1.1.9 a\n"), REPLY_WHOLE, 550, "",
	    S("5.1.1.9 a") },
	{ "four digits are no code", S("550 5.1234.1 a\n"), REPLY_WHOLE, 550,
	    "", S("5.1234.1 a") },
	{ "a code without its last part", S("550 5.354\n"), REPLY_WHOLE, 550,
	    "", S("5.354") },
	{ "a code cut short", S("550 5.1.\n"), REPLY_WHOLE, 550, "",
	    S("5.1.") },
	{ "controls and 8 bit are kept", S("550 \x1b[2J\xff\0\r.\n"),
	    REPLY_WHOLE, 550, "", S("\x1b[2J\xff\0\r.") },
	{ "more to come", S("250-a\n"), REPLY_MORE, 250, "", S("a") },
	{ "code 999", S("999 x\n"), REPLY_BAD, 0, "", S("") },
	{ "code 199", S("199 x\n"), REPLY_BAD, 0, "", S("") },
	{ "code 600", S("600 x\n"), REPLY_BAD, 0, "", S("") },
	{ "no code", S("hello\n"), REPLY_BAD, 0, "", S("") },
	{ "an empty line", S("\n"), REPLY_BAD, 0, "", S("") },
	{ "two digits", S("25\n"), REPLY_BAD, 0, "", S("") },
	{ "a sign", S("+25 x\n"), REPLY_BAD, 0, "", S("") },
	{ "text grows on the code", S("250ok\n"), REPLY_BAD, 0, "", S("") },
	{ "the code changes", S("250-a\n550 b\n"), REPLY_BAD, 250, "",
	    S("a") },
	{ "a NUL for the mark", S("250\0ok\n"), REPLY_BAD, 0, "", S("") },
};

static enum smtp_reply_got
feed(struct smtp_reply *r, struct span wire)
{
	enum smtp_reply_got got = REPLY_MORE;
	struct span line;

	while (wire.n > 0 && got == REPLY_MORE) {
		line = span_cut(&wire, '\n');
		got = smtp_reply_line(r, line);
	}
	return got;
}

static void
test_case(const struct reply_case *c)
{
	struct smtp_reply r;

	smtp_reply_init(&r);
	ok(feed(&r, c->wire) == c->got && r.code == c->code &&
		strcmp(r.enhanced, c->enhanced) == 0 &&
		span_eq(buf_get(&r.text), c->text),
	    c->name);
	smtp_reply_fini(&r);
}

/* One line more or less than there may be. */
static void
test_lines(void)
{
	struct smtp_reply r;
	int i;

	smtp_reply_init(&r);
	for (i = 0; i < RELAY_REPLY_LINES_MAX - 1; i++)
		(void)smtp_reply_line(&r, SPAN("250-x"));
	ok(smtp_reply_line(&r, SPAN("250 x")) == REPLY_WHOLE,
	    "as many lines as there may be");
	smtp_reply_clear(&r);
	ok(r.code == 0 && r.lines == 0 && r.text.n == 0, "and forgotten");
	for (i = 0; i < RELAY_REPLY_LINES_MAX; i++)
		(void)smtp_reply_line(&r, SPAN("250-x"));
	ok(smtp_reply_line(&r, SPAN("250 x")) == REPLY_BAD, "one more is bad");
	smtp_reply_fini(&r);
}

static void
test_long(void)
{
	static char line[RELAY_LINE_MAX];
	struct smtp_reply r;
	size_t most;
	int i;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	smtp_reply_init(&r);
	for (i = 0; i < RELAY_REPLY_LINES_MAX - 1; i++)
		(void)smtp_reply_line(&r, span_of(line, sizeof(line)));
	most = r.text.n;
	ok(r.cut && most <= RELAY_REPLY_MAX && !r.text.bad,
	    "the text is bounded");
	ok(smtp_reply_line(&r, SPAN("250 the end")) == REPLY_WHOLE &&
		r.text.n == most,
	    "what is over is passed over, and the reply has its end");
	smtp_reply_fini(&r);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < nitems(cases); i++)
		test_case(&cases[i]);
	test_lines();
	test_long();
	return done();
}
