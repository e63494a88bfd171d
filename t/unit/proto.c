/* proto: the dispatcher's four answers. */
#include "lib/proto.h"

#include "t/unit/tap.h"

enum { ST_A = 1, ST_B = 2 };

static const void *
fn(void *session, struct span arg)
{
	(void)session;
	(void)arg;
	return NULL;
}

static const struct proto_command table[] = {
	{ "NOOP", ST_A | ST_B, ARG_OPTIONAL, fn },
	{ "RSET", ST_A | ST_B, ARG_NONE, fn },
	{ "MAIL", ST_A, ARG_NEEDED, fn },
};

static const struct proto_case {
	const char *name, *line;
	unsigned state;
	enum proto_found found;
	const char *arg;
} cases[] = {
	{ "a verb alone", "RSET", ST_A, PROTO_OK, "" },
	{ "any case", "rSeT", ST_B, PROTO_OK, "" },
	{ "blanks behind", "RSET \t ", ST_A, PROTO_OK, "" },
	{ "an argument", "MAIL FROM:<a@b>", ST_A, PROTO_OK, "FROM:<a@b>" },
	{ "blanks around it", "MAIL   x y \t", ST_A, PROTO_OK, "x y" },
	{ "a tab between", "MAIL\tx", ST_A, PROTO_OK, "x" },
	{ "an optional one", "NOOP", ST_A, PROTO_OK, "" },
	{ "an optional one given", "NOOP hello", ST_A, PROTO_OK, "hello" },
	{ "not in this state", "MAIL x", ST_B, PROTO_STATE, "x" },
	{ "state before argument", "MAIL", ST_B, PROTO_STATE, "" },
	{ "a needed one missing", "MAIL", ST_A, PROTO_ARGUMENT, "" },
	{ "one too many", "RSET now", ST_A, PROTO_ARGUMENT, "now" },
	{ "unknown", "MAI", ST_A, PROTO_UNKNOWN, NULL },
	{ "longer than a verb", "MAILX", ST_A, PROTO_UNKNOWN, NULL },
	{ "an empty line", "", ST_A, PROTO_UNKNOWN, NULL },
	{ "a blank in front", " RSET", ST_A, PROTO_UNKNOWN, NULL },
};

int
main(void)
{
	const struct proto_command *cmd;
	enum proto_found found;
	struct span arg;
	size_t i;

	for (i = 0; i < nitems(cases); i++) {
		cmd = NULL;
		arg = SPAN_NONE;
		found = proto_find(table, nitems(table), cases[i].state,
		    span_str(cases[i].line), &cmd, &arg);
		ok(found == cases[i].found &&
		    (found == PROTO_UNKNOWN ? cmd == NULL :
		    cmd != NULL && span_eq(arg, span_str(cases[i].arg))),
		    cases[i].name);
	}
	return done();
}
