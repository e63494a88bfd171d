/*
 * commands: which command may come when, and who serves it. RFC 3501 6 and
 * the extensions named; the states are drawn in imapd/session.h.
 */
#include "imapd/commands.h"

#include <assert.h>

#include "imapd/session.h"
#include "lib/proto.h"

#define ANY (ST_AUTHENTICATED | ST_SELECTED)
#define SEL ST_SELECTED

/* clang-format off */
static const struct proto_command commands[] = {
	/* verb, valid in, argument, handler */
	{ "CAPABILITY",   ANY, ARG_NONE,     cmd_capability },
	{ "NOOP",         ANY, ARG_NONE,     cmd_noop },
	{ "LOGOUT",       ANY, ARG_NONE,     cmd_logout },
	{ "STARTTLS",     ST_BEFORE, ARG_NONE, cmd_login },
	{ "AUTHENTICATE", ST_BEFORE, ARG_NEEDED, cmd_login },
	{ "LOGIN",        ST_BEFORE, ARG_NEEDED, cmd_login },
	{ "SELECT",       ANY, ARG_NEEDED,   cmd_select },
	{ "EXAMINE",      ANY, ARG_NEEDED,   cmd_examine },
	{ "CREATE",       ANY, ARG_NEEDED,   cmd_create },
	{ "DELETE",       ANY, ARG_NEEDED,   cmd_delete },
	{ "RENAME",       ANY, ARG_NEEDED,   cmd_rename },
	{ "SUBSCRIBE",    ANY, ARG_NEEDED,   cmd_subscribe },
	{ "UNSUBSCRIBE",  ANY, ARG_NEEDED,   cmd_unsubscribe },
	{ "LIST",         ANY, ARG_NEEDED,   cmd_list },
	{ "LSUB",         ANY, ARG_NEEDED,   cmd_lsub },
	{ "STATUS",       ANY, ARG_NEEDED,   cmd_status },
	{ "APPEND",       ANY, ARG_NEEDED,   cmd_append },
	{ "NAMESPACE",    ANY, ARG_NONE,     cmd_namespace }, /* RFC 2342 */
	{ "ID",           ANY, ARG_NEEDED,   cmd_id },        /* RFC 2971 */
	{ "ENABLE",       ANY, ARG_NEEDED,   cmd_enable },    /* RFC 5161 */
	{ "IDLE",         ANY, ARG_NONE,     cmd_idle },      /* RFC 2177 */
	{ "CHECK",        SEL, ARG_NONE,     cmd_check },
	{ "CLOSE",        SEL, ARG_NONE,     cmd_close },
	{ "UNSELECT",     SEL, ARG_NONE,     cmd_unselect },  /* RFC 3691 */
	{ "EXPUNGE",      SEL, ARG_NONE,     cmd_expunge },
	{ "SEARCH",       SEL, ARG_NEEDED,   cmd_search },
	{ "FETCH",        SEL, ARG_NEEDED,   cmd_fetch },
	{ "STORE",        SEL, ARG_NEEDED,   cmd_store },
	{ "COPY",         SEL, ARG_NEEDED,   cmd_copy },
	{ "MOVE",         SEL, ARG_NEEDED,   cmd_move },      /* RFC 6851 */
	{ "UID",          SEL, ARG_NEEDED,   cmd_uid },
};

static const struct proto_command uid_commands[] = {
	{ "SEARCH",       SEL, ARG_NEEDED,   cmd_search },
	{ "FETCH",        SEL, ARG_NEEDED,   cmd_fetch },
	{ "STORE",        SEL, ARG_NEEDED,   cmd_store },
	{ "COPY",         SEL, ARG_NEEDED,   cmd_copy },
	{ "MOVE",         SEL, ARG_NEEDED,   cmd_move },
	{ "EXPUNGE",      SEL, ARG_NEEDED,   cmd_uid_expunge }, /* RFC 4315 */
};

static const struct {
	const char *verb, *usage;
} usages[] = {
	{ "SELECT", "SELECT folder" },
	{ "EXAMINE", "EXAMINE folder" },
	{ "CREATE", "CREATE folder [(USE (\\attribute))]" },
	{ "DELETE", "DELETE folder" },
	{ "RENAME", "RENAME folder folder" },
	{ "SUBSCRIBE", "SUBSCRIBE folder" },
	{ "UNSUBSCRIBE", "UNSUBSCRIBE folder" },
	{ "LIST", "LIST [(selection)] reference pattern [RETURN (options)]" },
	{ "LSUB", "LSUB reference pattern" },
	{ "STATUS", "STATUS folder (items)" },
	{ "APPEND", "APPEND folder [(flags)] [date-time] literal" },
	{ "ID", "ID NIL, or ID (name value ...)" },
	{ "ENABLE", "ENABLE capability ..." },
	{ "SEARCH", "SEARCH [RETURN (options)] [CHARSET charset] keys" },
	{ "FETCH", "FETCH set item, or FETCH set (item ...)" },
	{ "STORE", "STORE set [+-]FLAGS[.SILENT] (flags)" },
	{ "COPY", "COPY set folder" },
	{ "MOVE", "MOVE set folder" },
	{ "UID", "UID COPY, EXPUNGE, FETCH, MOVE, SEARCH or STORE" },
};
/* clang-format on */

static const struct imap_reply unknown = { OUT_BAD, NULL,
	"no such command" };
static const struct imap_reply no_folder = { OUT_BAD, NULL,
	"SELECT a folder first" };
static const struct imap_reply no_tag = { OUT_BAD, NULL,
	"a command begins with a tag and a blank" };
static const struct imap_reply one_argument = { OUT_BAD, NULL,
	"this command has no arguments" };

static const char *
usage_of(struct span verb)
{
	for (size_t i = 0; i < nitems(usages); i++)
		if (span_ieq(verb, span_str(usages[i].verb)))
			return usages[i].usage;
	return NULL;
}

/* "verb" or "verb arg"; *blank: a blank is behind the verb. */
static int
split(struct span in, struct span *verb, struct span *arg, bool *blank)
{
	if (imap_atom(&in, verb) == -1)
		return -1;
	*blank = in.n > 0;
	if (*blank && imap_sp(&in) == -1)
		return -1;
	*arg = in;
	return 0;
}

static const struct imap_reply *
run(struct session *s, const struct proto_command *table, size_t n,
    struct span in, const char **usage)
{
	const struct proto_command *c;
	struct span verb, arg;
	bool blank;

	if (split(in, &verb, &arg, &blank) == -1)
		return &unknown;
	*usage = usage_of(verb);
	if (blank && arg.n == 0)
		return &A_SYNTAX;
	switch (proto_verb(table, n, s->state, verb, arg, &c)) {
	case PROTO_OK:
		return c->fn(s, arg);
	case PROTO_ARGUMENT:
		return arg.n == 0 ? &A_SYNTAX : &one_argument;
	case PROTO_STATE:
		if (c->states == ST_BEFORE)
			return cmd_login(s, arg);
		return &no_folder;
	case PROTO_UNKNOWN:
		break;
	}
	return &unknown;
}

const void *
cmd_uid(void *arg, struct span in)
{
	struct session *s = arg;
	const char *usage; /* the caller's */

	s->uid = true;
	return run(s, uid_commands, nitems(uid_commands), in, &usage);
}

const struct imap_reply *
commands_run(struct session *s, const char **usage)
{
	struct span in = buf_get(&s->command), tag;

	*usage = NULL;
	s->uid = s->sync_numbers = s->told_all = false;
	if (imap_tag(&in, &tag) == -1 || imap_sp(&in) == -1)
		return &no_tag;
	return run(s, commands, nitems(commands), in, usage);
}
