/*
 * proto: finds a command's row; the one dispatcher of all line protocols.
 *
 * Invariant: a row's handler is only ever reached with its state bit set
 * and its argument rule kept, so handlers start with true preconditions.
 */
#include "lib/proto.h"

static bool
argument_fits(enum proto_arg rule, struct span arg)
{
	switch (rule) {
	case ARG_NONE:
		return arg.n == 0;
	case ARG_NEEDED:
		return arg.n != 0;
	case ARG_OPTIONAL:
		break;
	}
	return true;
}

enum proto_found
proto_verb(const struct proto_command *table, size_t n, unsigned state,
    struct span verb, struct span arg, const struct proto_command **cmd)
{
	const struct proto_command *c;

	for (c = table; c < table + n; c++) {
		if (!span_ieq(verb, span_str(c->verb)))
			continue;
		*cmd = c;
		if ((c->states & state) == 0)
			return PROTO_STATE;
		if (!argument_fits(c->arg, arg))
			return PROTO_ARGUMENT;
		return PROTO_OK;
	}
	return PROTO_UNKNOWN;
}

enum proto_found
proto_find(const struct proto_command *table, size_t n, unsigned state,
    struct span line, const struct proto_command **cmd, struct span *arg)
{
	struct span verb;

	/* A verb begins its line; blanks in front are nobody's command. */
	if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t')
		return PROTO_UNKNOWN;
	verb = span_word(&line);
	*arg = span_trim(line);
	return proto_verb(table, n, state, verb, *arg, cmd);
}
