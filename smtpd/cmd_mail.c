/*
 * cmd_mail: MAIL FROM, RFC 5321 4.1.1.2, with SIZE (RFC 1870), BODY (RFC
 * 6152) and AUTH (RFC 4954 5).
 */
#include "lib/addr.h"
#include "lib/log.h"
#include "lib/parameter.h"
#include "smtpd/commands.h"
#include "smtpd/guest.h"
#include "smtpd/mail.h"
#include "smtpd/replies.h"
#include "smtpd/sender.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

struct given { /* with the command */
	bool size_seen, body_seen, auth_seen;
	uint64_t size;
	uint32_t flags;
};

static const struct reply *
take_size(struct given *g, struct span value)
{
	if (g->size_seen || value.n > 20 ||
	    span_num(value, 0, UINT64_MAX, &g->size) == -1)
		return &R_PARAMETER_SYNTAX;
	g->size_seen = true;
	return g->size > server.conf->message_size ? &R_TOO_BIG : NULL;
}

static const struct reply *
take_body(struct given *g, struct span value)
{
	if (g->body_seen)
		return &R_PARAMETER_SYNTAX;
	g->body_seen = true;
	if (span_ieq(value, SPAN("8BITMIME")))
		g->flags |= ENV_8BITMIME;
	else if (!span_ieq(value, SPAN("7BIT")))
		return &R_PARAMETER_SYNTAX;
	return NULL;
}

/*
 * RFC 4954 5: a claim about who wrote it first. We trust nobody so far, so
 * it counts as AUTH=<> and is not passed on.
 */
static const struct reply *
take_auth(struct given *g, struct span value)
{
	if (g->auth_seen || value.n == 0)
		return &R_PARAMETER_SYNTAX;
	g->auth_seen = true;
	return NULL;
}

static const struct parameter {
	struct span keyword;
	const struct reply *(*take)(struct given *, struct span);
} parameters[] = {
	{ { "SIZE", 4 }, take_size },
	{ { "BODY", 4 }, take_body },
	{ { "AUTH", 4 }, take_auth },
};

static const struct reply *
take(struct given *g, struct span keyword, struct span value)
{
	size_t i;

	for (i = 0; i < nitems(parameters); i++)
		if (span_ieq(keyword, parameters[i].keyword))
			return parameters[i].take(g, value);
	return &R_PARAMETER; /* RFC 5321 4.1.1.11 */
}

static const struct reply *
take_all(struct given *g, struct span in)
{
	const struct reply *r = NULL;
	struct span keyword, value;
	int rc;

	while ((rc = parameter_next(&in, &keyword, &value)) == 1 && r == NULL)
		r = take(g, keyword, value);
	return rc == -1 ? &R_PARAMETER_SYNTAX : r;
}

static const struct reply *
begin(struct session *s, struct span from, struct buf *path)
{
	const struct reply *r;
	struct given g = { 0 };
	struct addr a;

	if (addr_parse(&from, ADDR_NULL_OK, path, &a) == -1)
		return &R_MAIL_SYNTAX;
	if ((r = take_all(&g, from)) != NULL)
		return r;
	if ((r = sender_check(s, a.text)) != NULL) {
		session_log_refusal(s, "sender", "from", a.text, r);
		return r;
	}
	if ((r = guest_sends(s)) != NULL)
		return r;
	s->mail = mail_new(a.text);
	s->mail->declared = g.size;
	s->mail->flags = g.flags;
	s->state = ST_MAIL;
	return &R_SENDER_OK;
}

const void *
cmd_mail(void *session, struct span arg)
{
	struct session *s = session;
	const struct reply *r;
	struct buf path;

	if (s->service->submission && s->login == NULL)
		return &R_NEED_AUTH; /* RFC 6409 4.3, RFC 4954 6 */
	if (!span_istarts(arg, SPAN("FROM:")))
		return &R_MAIL_SYNTAX;
	(void)span_take(&arg, 5);
	buf_init(&path, SMTP_PATH_MAX);
	r = begin(s, arg, &path);
	buf_fini(&path);
	return r;
}
