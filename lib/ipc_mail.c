/*
 * ipc_mail: the envelope and how a message comes into the queue. Texts that
 * strangers gave carry no control characters past this file: a decoder that
 * meets one refuses the message. The structs with an envelope are large and
 * are decoded in place: after -1 they hold nothing of use.
 */
#include "lib/ipc_mail.h"

#include <assert.h>

#include "lib/qid.h"

enum {
	MAIL_WORD_MAX = 31,      /* "UTF8SMTPSA" */
	MAIL_ENHANCED_MAX = 11,  /* "5.123.123" */
	MAIL_TEXT_MAX = 511,     /* of a reply; struct reply_copy */
	ENV_ALL = ENV_8BITMIME | ENV_BOUNCE | ENV_DOUBLE,
};

static_assert(SMTP_RCPT_MAX * (SMTP_PATH_MAX + 4) + SMALL_BODY_MAX +
        SMTP_LINE_MAX + AUTH_NAME_MAX + 4096 <= (int)IPC_BODY_MAX,
    "the longest envelope and a small body fit into a packet");

/* Reply codes between processes: 0 for "go on", else RFC 5321 4.2. */
static int
get_code(struct span *in, uint32_t *code)
{
	uint32_t c;

	if (get_u32(in, &c) == -1 || (c != 0 && (c < 200 || c > 599)))
		return -1;
	*code = c;
	return 0;
}

void
ipc_envelope_encode(struct buf *b, const struct envelope *e)
{
	size_t i;

	put_u64(b, (uint64_t)e->arrived);
	put_span(b, e->sender);
	put_span(b, e->sid);
	put_span(b, e->client);
	put_cut(b, e->helo, SMTP_LINE_MAX);
	put_span(b, e->protocol);
	put_span(b, e->login);
	put_u32(b, e->flags);
	put_u32(b, (uint32_t)e->nrcpt);
	for (i = 0; i < e->nrcpt; i++)
		put_span(b, e->rcpt[i]);
}

static int
get_rcpts(struct span *in, struct envelope *e)
{
	uint32_t n;
	size_t i;

	if (get_u32(in, &n) == -1 || n > SMTP_RCPT_MAX)
		return -1;
	e->nrcpt = n;
	for (i = 0; i < e->nrcpt; i++)
		if (get_text(in, &e->rcpt[i], SMTP_PATH_MAX) == -1 ||
		    e->rcpt[i].n == 0)
			return -1;
	return 0;
}

int
ipc_envelope_decode(struct span *in, struct envelope *e)
{
	struct span rest = *in;
	uint64_t arrived;

	*e = (struct envelope){ 0 };
	if (get_u64(&rest, &arrived) == -1 || arrived > INT64_MAX ||
	    get_text(&rest, &e->sender, SMTP_PATH_MAX) == -1 ||
	    get_text(&rest, &e->sid, SID_MAX) == -1 ||
	    get_text(&rest, &e->client, HOST_MAX) == -1 ||
	    get_text(&rest, &e->helo, SMTP_LINE_MAX) == -1 ||
	    get_text(&rest, &e->protocol, MAIL_WORD_MAX) == -1 ||
	    get_text(&rest, &e->login, AUTH_NAME_MAX) == -1 ||
	    get_u32(&rest, &e->flags) == -1 ||
	    (e->flags & ~(uint32_t)ENV_ALL) != 0 ||
	    get_rcpts(&rest, e) == -1)
		return -1;
	e->arrived = (int64_t)arrived;
	*in = rest;
	return 0;
}

void
ipc_spool_open_encode(struct buf *b, const struct ipc_spool_open *m)
{
	ipc_envelope_encode(b, &m->env);
	put_u64(b, m->size_hint);
}

int
ipc_spool_open_decode(struct span in, struct ipc_spool_open *m)
{
	if (ipc_envelope_decode(&in, &m->env) == -1 || m->env.nrcpt == 0 ||
	    get_u64(&in, &m->size_hint) == -1 || in.n != 0)
		return -1;
	return 0;
}

void
ipc_spool_is_encode(struct buf *b, const struct ipc_spool_is *m)
{
	put_u64(b, m->qid);
	put_u32(b, m->code);
	put_span(b, m->enhanced);
	put_cut(b, m->text, MAIL_TEXT_MAX);
}

int
ipc_spool_is_decode(struct span in, struct ipc_spool_is *out)
{
	struct ipc_spool_is m;

	if (get_u64(&in, &m.qid) == -1 || get_code(&in, &m.code) == -1 ||
	    get_text(&in, &m.enhanced, MAIL_ENHANCED_MAX) == -1 ||
	    get_text(&in, &m.text, MAIL_TEXT_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_submit_encode(struct buf *b, const struct ipc_submit *m)
{
	put_u64(b, m->qid);
	put_u64(b, m->size);
	put_u32(b, m->crc);
	put_u32(b, m->id_at);
	ipc_envelope_encode(b, &m->env);
	put_span(b, m->body);
}

int
ipc_submit_decode(struct span in, struct ipc_submit *m)
{
	if (get_u64(&in, &m->qid) == -1 || get_u64(&in, &m->size) == -1 ||
	    get_u32(&in, &m->crc) == -1 ||
	    get_u32(&in, &m->id_at) == -1 ||
	    ipc_envelope_decode(&in, &m->env) == -1 ||
	    get_span(&in, &m->body, SMALL_BODY_MAX) == -1 || in.n != 0)
		return -1;
	if (m->id_at != 0 && (m->body.n < QID_LEN ||
	    m->id_at > m->body.n - QID_LEN))
		return -1;
	if (m->qid == 0) /* inline: both count, and agree */
		return m->env.nrcpt > 0 && m->size == m->body.n ? 0 : -1;
	return m->body.n == 0 ? 0 : -1;
}

void
ipc_submit_is_encode(struct buf *b, const struct ipc_submit_is *m)
{
	put_u64(b, m->qid);
	put_u32(b, m->code);
	put_span(b, m->enhanced);
	put_cut(b, m->text, MAIL_TEXT_MAX);
}

int
ipc_submit_is_decode(struct span in, struct ipc_submit_is *out)
{
	struct ipc_submit_is m;

	if (get_u64(&in, &m.qid) == -1 || get_code(&in, &m.code) == -1 ||
	    m.code == 0 ||
	    get_text(&in, &m.enhanced, MAIL_ENHANCED_MAX) == -1 ||
	    get_text(&in, &m.text, MAIL_TEXT_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_spool_abort_encode(struct buf *b, const struct ipc_spool_abort *m)
{
	put_u64(b, m->qid);
}

int
ipc_spool_abort_decode(struct span in, struct ipc_spool_abort *out)
{
	struct ipc_spool_abort m;

	if (get_u64(&in, &m.qid) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}
