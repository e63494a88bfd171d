/*
 * proto: commands are a table; one dispatcher for SMTP, POP3 and IMAP. Verb
 * to required state and argument rule; what is not listed is refused.
 */
#ifndef LIB_PROTO_H
#define LIB_PROTO_H

#include "lib/span.h"

enum proto_arg { ARG_NONE, ARG_OPTIONAL, ARG_NEEDED };

struct proto_command {
	const char *verb;       /* upper case; matched in any case */
	unsigned states;        /* bit set of states it is valid in */
	enum proto_arg arg;
	/* Session and the argument (blanks trimmed); answer is the protocol's
	 * own reply type. */
	const void *(*fn)(void *session, struct span arg);
};

enum proto_found {
	PROTO_OK,       /* call it */
	PROTO_UNKNOWN,  /* no such verb */
	PROTO_STATE,    /* not now */
	PROTO_ARGUMENT, /* argument missing, or one too many */
};

/*
 * Splits line into verb and argument and finds the row. *cmd is set also
 * for PROTO_STATE and PROTO_ARGUMENT.
 */
enum proto_found proto_find(const struct proto_command *table, size_t n,
    unsigned state, struct span line, const struct proto_command **cmd,
    struct span *arg);
/*
 * The same for a protocol that splits its lines itself (IMAP: blanks and
 * literals mean something): arg is only looked at for being there.
 */
enum proto_found proto_verb(const struct proto_command *table, size_t n,
    unsigned state, struct span verb, struct span arg,
    const struct proto_command **cmd);

#endif
