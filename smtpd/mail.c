/*
 * mail: one transaction's envelope.
 *
 * Invariant: addresses are canonical (lib/addr.h) and bounded by
 * SMTP_PATH_MAX, recipients by SMTP_RCPT_MAX, so text cannot overflow.
 */
#include "smtpd/mail.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/conn.h"
#include "lib/die.h"
#include "lib/loop.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

enum { TEXT_MAX = (SMTP_RCPT_MAX + 1) * SMTP_PATH_MAX };

static struct mail_place
keep(struct mail *m, struct span address)
{
	struct mail_place at = { (uint32_t)m->text.n, (uint32_t)address.n };

	buf_span(&m->text, address);
	assert(!m->text.bad);
	return at;
}

/* Keeps server.envelopes true. */
static void
hold(struct mail *m)
{
	size_t now = m->text.cap + m->cap * sizeof(*m->rcpt);

	server.envelopes += now - m->envelope;
	m->envelope = now;
}

struct mail *
mail_new(struct span sender)
{
	struct mail *m = xcalloc(1, sizeof(*m));

	m->fd = -1;
	m->arrived = loop_wall();
	buf_init(&m->text, TEXT_MAX);
	m->sender = keep(m, sender);
	hold(m);
	return m;
}

void
mail_free(struct mail *m)
{
	if (m == NULL)
		return;
	server.held -= m->held;
	server.envelopes -= m->envelope;
	fd_close(&m->fd);
	buf_fini(&m->text);
	buf_fini(&m->body);
	free(m->rcpt);
	free(m);
}

void
mail_add_rcpt(struct mail *m, struct span rcpt)
{
	assert(m->nrcpt < SMTP_RCPT_MAX);
	if (m->nrcpt == m->cap) {
		m->cap = m->cap != 0 ? m->cap * 2 : 4;
		m->rcpt = xreallocarray(m->rcpt, m->cap, sizeof(*m->rcpt));
	}
	m->rcpt[m->nrcpt++] = keep(m, rcpt);
	hold(m);
}

static struct span
get(const struct mail *m, struct mail_place at)
{
	return span_slice(buf_get(&m->text), at.at, (size_t)at.at + at.n);
}

struct span
mail_sender(const struct mail *m)
{
	return get(m, m->sender);
}

struct span
mail_rcpt(const struct mail *m, size_t i)
{
	assert(i < m->nrcpt);
	return get(m, m->rcpt[i]);
}

const char *
mail_protocol(const struct session *s)
{
	static const char *const esmtp[2][2] = { /* RFC 3848 */
		{ "ESMTP", "ESMTPA" },
		{ "ESMTPS", "ESMTPSA" },
	};
	bool tls = conn_tls(s->conn) != NULL;

	if (!s->esmtp)
		return "SMTP";
	return esmtp[tls][s->login != NULL && !s->service->local];
}

void
mail_envelope(const struct mail *m, const struct session *s,
    struct envelope *e)
{
	size_t i;

	e->arrived = m->arrived;
	e->sender = get(m, m->sender);
	e->sid = span_str(s->sid);
	e->client = span_str(s->client);
	e->helo = span_str(s->helo);
	e->protocol = span_str(mail_protocol(s));
	e->login = span_str(s->login);
	e->flags = m->flags;
	e->nrcpt = m->nrcpt;
	for (i = 0; i < m->nrcpt; i++)
		e->rcpt[i] = get(m, m->rcpt[i]);
}
