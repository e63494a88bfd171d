/* cmd_misc: CAPABILITY, NOOP, LOGOUT, NAMESPACE, ID, ENABLE, SEARCH. */
#include "imapd/commands.h"
#include "imapd/search.h"
#include "imapd/session.h"
#include "lib/limits.h"

/* What this program does; the front adds what is before a login. */
static const char *const capabilities[] = { "IMAP4rev1", "LITERAL+",
	"SASL-IR", "ID", "ENABLE", "IDLE", "NAMESPACE", "UIDPLUS", "UNSELECT",
	"CHILDREN", "SPECIAL-USE", "CREATE-SPECIAL-USE", "LIST-EXTENDED",
	"LIST-STATUS", "MOVE", "ESEARCH", "WITHIN" };

void
capabilities_out(struct session *s)
{
	out_atom(&s->out, "CAPABILITY");
	for (size_t i = 0; i < nitems(capabilities); i++)
		out_atom(&s->out, capabilities[i]);
}

const void *
cmd_capability(void *arg, struct span in)
{
	struct session *s = arg;

	(void)in;
	out_untagged(&s->out);
	capabilities_out(s);
	out_end(&s->out);
	return &A_OK;
}

const void *
cmd_noop(void *arg, struct span in)
{
	(void)arg;
	(void)in;
	return &A_OK;
}

const void *
cmd_logout(void *arg, struct span in)
{
	struct session *s = arg;

	(void)in;
	session_bye(s, "logout", NULL, "bye");
	return &A_OK;
}

/* LOGIN, AUTHENTICATE, STARTTLS: RFC 3501 6.2, not any more. */
const void *
cmd_login(void *arg, struct span in)
{
	static const struct imap_reply late = { OUT_BAD, NULL,
		"you are logged in already" };

	(void)arg;
	(void)in;
	return &late;
}

/* RFC 2342: one personal namespace, no prefix. */
const void *
cmd_namespace(void *arg, struct span in)
{
	struct session *s = arg;
	struct imap_out *o = &s->out;

	(void)in;
	out_untagged(o);
	out_atom(o, "NAMESPACE");
	out_open(o);
	out_open(o);
	out_string(o, SPAN(""));
	out_string(o, SPAN("/"));
	out_close(o);
	out_close(o);
	out_nil(o);
	out_nil(o);
	out_end(o);
	return &A_OK;
}

/* RFC 2971: what the client is, is read and not used. */
static int
id_take(struct session *s, struct span *in)
{
	struct span field, value;
	size_t n = 0;
	bool nil;

	if (imap_word(in, "NIL"))
		return 0;
	if (!imap_is(in, '('))
		return -1;
	if (imap_is(in, ')'))
		return 0;
	do {
		if (++n > IMAP_ID_MAX ||
		    imap_string(in, &s->scratch, &field) == -1 ||
		    imap_sp(in) == -1 ||
		    imap_nstring(in, &s->scratch, &value, &nil) == -1)
			return -1;
	} while (imap_sp(in) == 0);
	return imap_is(in, ')') ? 0 : -1;
}

const void *
cmd_id(void *arg, struct span in)
{
	struct session *s = arg;

	if (id_take(s, &in) == -1 || in.n > 0)
		return &A_SYNTAX;
	out_untagged(&s->out);
	out_atom(&s->out, "ID");
	out_open(&s->out);
	out_string(&s->out, SPAN("name"));
	out_string(&s->out, SPAN("Postern"));
	out_close(&s->out);
	out_end(&s->out);
	return &A_OK;
}

/* RFC 5161: nothing of ours has to be enabled yet, and nothing is. */
const void *
cmd_enable(void *arg, struct span in)
{
	struct session *s = arg;
	struct span name;

	do {
		if (imap_atom(&in, &name) == -1)
			return &A_SYNTAX;
	} while (imap_sp(&in) == 0);
	if (in.n > 0)
		return &A_SYNTAX;
	out_untagged(&s->out);
	out_atom(&s->out, "ENABLED");
	out_end(&s->out);
	return &A_OK;
}

const void *
cmd_search(void *arg, struct span in)
{
	struct session *s = arg;

	s->sync_numbers = !s->uid;
	return search_run(s, in, s->uid);
}
