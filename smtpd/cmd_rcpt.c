/*
 * cmd_rcpt: RCPT TO, RFC 5321 4.1.1.3. Everything about a recipient is
 * decided here, in the session: what is accepted can be delivered or must
 * be bounced, and bounces to forged senders are somebody's flood.
 *
 * Invariant: the address is parsed once, checked once, and never rewritten
 * afterwards; so no second reading of it can be another address.
 */
#include "lib/addr.h"
#include "lib/log.h"
#include "lib/parameter.h"
#include "lib/transport.h"
#include "smtpd/commands.h"
#include "smtpd/mail.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

/* RFC 5321 4.5.1: <postmaster> without a domain is ours. */
static struct span
complete(const struct addr *a, struct buf *whole)
{
	if (a->domain.n != 0)
		return a->text;
	buf_span(whole, a->local);
	buf_char(whole, '@');
	buf_str(whole, server.conf->default_domain);
	return buf_get(whole);
}

/* An alias is as good as what it ends at. */
static const struct reply *
check_alias(const struct session *s, struct span address)
{
	struct resolved_list list = { 0 };
	enum resolve_kind kind;
	const char *why = NULL;

	kind = resolve_all(server.conf, &server.maps, address, &list, &why);
	resolved_list_fini(&list);
	if (why != NULL) {
		log_begin(LL_WARN, "alias");
		log_str("sid", s->sid);
		log_span("to", address);
		log_str("why", why);
		log_end();
	}
	switch (kind) {
	case RESOLVE_UNKNOWN:
		return &R_NO_USER;
	case RESOLVE_ERROR:
		return &R_ALIAS_ERROR;
	default:
		return &R_RCPT_OK;
	}
}

static const struct reply *
check_remote(const struct session *s, struct span address)
{
	struct addr a;

	addr_split(address, &a);
	return session_may_relay(s) ||
	    conf_list_has(&server.conf->relay_domains, a.domain)
	    ? &R_RCPT_OK : &R_RELAY_DENIED;
}

/* The words of the administrator; ASCII, as replies are. */
static const struct reply *
refusal_of(const struct transport *t)
{
	static char enhanced[12], text[SMTP_REPLY_MAX];
	static struct reply r = { 550, enhanced, text };

	if (span_copy(enhanced, sizeof(enhanced), t->enhanced) == -1 ||
	    span_copy(text, sizeof(text), t->text) == -1)
		return &R_RELAY_DENIED;
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7e)
			*p = '?';
	return &r;
}

/* What is sure to fail is not taken: nobody needs to bounce it then. */
static const struct reply *
check_transport(struct span address)
{
	struct transport t;
	const char *why;

	if (server.maps.transport == NULL)
		return &R_RCPT_OK;
	if (transport_of(server.conf, server.maps.transport, address, &t,
		&why) == -1)
		return &R_MAP_ERROR;
	return t.kind == TRANSPORT_ERROR ? refusal_of(&t) : &R_RCPT_OK;
}

static const struct reply *
check_address(const struct session *s, struct span address)
{
	struct resolved is;

	resolve_one(server.conf, &server.maps, address, &is);
	switch (is.kind) {
	case RESOLVE_MAILBOX:
		return &R_RCPT_OK;
	case RESOLVE_ALIAS:
		return check_alias(s, address);
	case RESOLVE_REMOTE:
		return check_remote(s, address);
	case RESOLVE_UNKNOWN:
		return &R_NO_USER;
	case RESOLVE_ERROR:
		break;
	}
	return &R_MAP_ERROR;
}

static const struct reply *
check(const struct session *s, struct span address)
{
	const struct reply *r = check_address(s, address);

	return r == &R_RCPT_OK ? check_transport(address) : r;
}

/* NULL: there is room for another one. */
static const struct reply *
check_room(const struct mail *m)
{
	if (m->nrcpt >= server.conf->recipients_max ||
	    m->nrcpt >= SMTP_RCPT_MAX)
		return &R_TOO_MANY_RCPT; /* RFC 5321 4.5.3.1.10 */
	if (server.envelopes > SMTP_ENVELOPES_MAX &&
	    m->nrcpt >= SMTP_RCPT_UNDER_LOAD)
		return &R_BUSY;
	return NULL;
}

/* What does not fit may be thousands: one line for all of them. */
static const struct reply *
refuse(struct session *s, struct span address, const struct reply *r,
    bool room)
{
	if (room || !s->mail->full)
		session_log_refusal(s, "rcpt", "to", address, r);
	s->mail->full |= !room;
	return r;
}

/*
 * RCPT's parameters belong to extensions that are not offered. But sendmail(8)
 * asks on its socket that a recipient be taken who was refused, so that the
 * others get the message and the sender a bounce: XBOUNCE, of ours alone.
 */
static const struct reply *
check_parameters(const struct session *s, struct span in, bool *bounce)
{
	struct span keyword, value;
	int rc;

	while ((rc = parameter_next(&in, &keyword, &value)) == 1) {
		if (!s->service->local || value.n != 0 ||
		    !span_ieq(keyword, SPAN("XBOUNCE")))
			return &R_PARAMETER;
		*bounce = true;
	}
	return rc == 0 ? NULL : &R_PARAMETER_SYNTAX;
}

static const struct reply *
add(struct session *s, struct span arg, struct buf *path, struct buf *whole)
{
	const struct reply *r;
	struct span address;
	struct addr a;
	bool bounce = false;

	if (addr_parse(&arg, ADDR_POSTMASTER_OK, path, &a) == -1)
		return &R_RCPT_SYNTAX;
	address = complete(&a, whole);
	if (whole->bad)
		return &R_RCPT_SYNTAX;
	if ((r = check_parameters(s, arg, &bounce)) != NULL)
		return r;
	if ((r = check_room(s->mail)) != NULL)
		return refuse(s, address, r, false);
	r = check(s, address);
	if (r != &R_RCPT_OK && !(bounce && r->code >= 500))
		return refuse(s, address, r, true);
	mail_add_rcpt(s->mail, address);
	s->state = ST_RCPT;
	return &R_RCPT_OK;
}

const void *
cmd_rcpt(void *session, struct span arg)
{
	const struct reply *r;
	struct buf path, whole;

	if (!span_istarts(arg, SPAN("TO:")))
		return &R_RCPT_SYNTAX;
	(void)span_take(&arg, 3);
	buf_init(&path, SMTP_PATH_MAX);
	buf_init(&whole, SMTP_PATH_MAX);
	r = add(session, arg, &path, &whole);
	buf_fini(&path);
	buf_fini(&whole);
	return r;
}
