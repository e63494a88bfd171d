/*
 * message: what sendmail(8) reads off standard input, whom it finds in a
 * header, and what it adds.
 */
#include "ctl/message.c" /* not in the library: it is ctl's own */

#include <stdarg.h>
#include <stdlib.h>

#include "t/unit/tap.h"

int
ctl_fail(int code, const char *fmt, ...)
{
	(void)fmt;
	return code;
}

static void
note(void *arg, struct span address)
{
	struct buf *out = arg;

	buf_span(out, address);
	buf_char(out, ';');
}

static const struct list_case {
	const char *name, *list, *found;
} lists[] = {
	{ "an address", "ann@a.org", "ann@a.org;" },
	{ "several", "ann@a.org, bob@b.org", "ann@a.org;bob@b.org;" },
	{ "with a name", "Ann B <ann@a.org>", "ann@a.org;" },
	{ "a comma in the name", "\"B, Ann\" <ann@a.org>", "ann@a.org;" },
	{ "a comment", "ann@a.org (Ann, (of) A), bob", "ann@a.org;bob;" },
	{ "a group", "all: ann@a.org, Bob <bob@b.org>;, carl",
	    "ann@a.org;bob@b.org;carl;" },
	{ "an empty group", "undisclosed-recipients:;", "" },
	{ "a quoted local part", "\"a, b\"@a.org", "\"a, b\"@a.org;" },
	{ "an escaped quote", "\"a\\\"b\"@a.org", "\"a\\\"b\"@a.org;" },
	{ "a fold", "ann@a.org,\n\tbob@b.org\n", "ann@a.org;bob@b.org;" },
	{ "a quote without end", "\"ann", "\"ann\";" },
	{ "a comment without end", "ann (x", "ann;" },
	{ "a bracket without end", "<ann@a.org", "ann@a.org;" },
	{ "a backslash at the end", "\"ann\\", "\"ann\\\";" },
	{ "nothing", " , ,", "" },
};

static void
test_lists(void)
{
	struct buf out;

	buf_init(&out, 65536);
	for (size_t i = 0; i < nitems(lists); i++) {
		size_t n = strlen(lists[i].list);
		char *copy = malloc(n); /* of just that size */

		memcpy(copy, lists[i].list, n);
		buf_clear(&out);
		message_addresses(span_of(copy, n), note, &out);
		if (!ok(span_eq(buf_get(&out), span_str(lists[i].found)),
			lists[i].name))
			printf("# %.*s\n", SPAN_FMT(buf_get(&out)));
		free(copy);
	}
	buf_fini(&out);
}

static void
build(struct message *m, const char *raw, bool from_header, struct buf *found)
{
	const struct message_options o = { .from_header = from_header,
		.sender = "ann@a.org", .name = "Ann \"A\"", .host = "a.org" };

	buf_init(&m->raw, 65536);
	buf_init(&m->text, 65536);
	buf_clear(found);
	buf_str(&m->raw, raw);
	message_build(m, &o, note, found);
}

static bool
has(struct message *m, const char *what)
{
	return strstr(buf_cstr(&m->text), what) != NULL;
}

static void
test_build(void)
{
	struct message m;
	struct buf found;

	buf_init(&found, 65536);
	build(&m, "To: bob\nBcc: carl,\n dora\nSubject: x\n\nBcc: body\n", true,
	    &found);
	ok(span_eq(buf_get(&found), SPAN("bob;carl;dora;")),
	    "recipients of To and Bcc are found");
	ok(!has(&m, "carl") && !has(&m, "dora") && has(&m, "\n\nBcc: body\n"),
	    "Bcc is taken out of the header, not of the body");
	ok(has(&m, "From: \"Ann \\\"A\\\"\" <ann@a.org>\n") &&
	    has(&m, "Date: ") && has(&m, "@a.org>\n"),
	    "From, Date and Message-ID are added");
	message_fini(&m);
	build(&m, "From: x\nDate: y\nMessage-ID: z\n\nbody\n", false, &found);
	ok(span_eq(buf_get(&m.text),
	    SPAN("From: x\nDate: y\nMessage-ID: z\n\nbody\n")),
	    "and not if they are there");
	message_fini(&m);
	build(&m, "To: bob\nResent-To: carl\n\n", true, &found);
	ok(span_eq(buf_get(&found), SPAN("carl;")),
	    "a resent message goes to whom it is resent");
	message_fini(&m);
	build(&m, "no header here\n", false, &found);
	ok(has(&m, "\n\nno header here\n"), "a body without header gets one");
	message_fini(&m);
	build(&m, "Subject: only", false, &found);
	ok(has(&m, "Subject: only\n\n"), "a header without body ends");
	message_fini(&m);
	build(&m, "From ann Sat Nov 21\nSubject: x\n\n", false, &found);
	ok(!has(&m, "From ann"), "the line of an mbox file goes");
	message_fini(&m);
	build(&m, "", false, &found);
	ok(has(&m, "From: ") && m.text.p[m.text.n - 1] == '\n',
	    "nothing is a message, too");
	message_fini(&m);
	buf_fini(&found);
}

static void
test_input(void)
{
	struct buf out;

	buf_init(&out, 65536);
	ok(input_add(&out, SPAN("a\r\n.\r\nb\n"), true) &&
	    span_eq(buf_get(&out), SPAN("a\n")), "a lone dot ends the input");
	buf_clear(&out);
	ok(input_add(&out, SPAN(".\nb"), true) && out.n == 0,
	    "in the first line, too");
	buf_clear(&out);
	ok(!input_add(&out, SPAN("a.\n..\n. \n.x\n"), true),
	    "other dots do not");
	buf_clear(&out);
	ok(!input_add(&out, SPAN(".\na\0b\rc\r\n"), false) &&
	    span_eq(buf_get(&out), SPAN(".\nab\rc\n")),
	    "NUL bytes go, line ends are LF");
	buf_clear(&out);
	ok(!input_add(&out, SPAN("a\n."), true) &&
	    input_add(&out, SPAN("\nb"), true),
	    "a dot is seen across two reads");
	buf_fini(&out);
}

int
main(void)
{
	test_lists();
	test_build();
	test_input();
	return done();
}
