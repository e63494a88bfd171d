/* ipc_job: work for deliver and relay, and what became of it. */
#include "lib/ipc_job.h"

#include <assert.h>

enum {
	JOB_ENHANCED_MAX = 11,
	JOB_TEXT_MAX = 511, /* struct reply_copy */
	JOB_MTA_MAX = HOST_MAX + 64, /* name, address, port */
};

static_assert(JOB_RCPT_MAX * (2 * SMTP_PATH_MAX + PATH_LEN_MAX + 16) +
        SMALL_BODY_MAX + PATH_LEN_MAX + 4096 <= (int)IPC_BODY_MAX,
    "the longest job fits into a packet");
static_assert(JOB_RESULT_MAX * (JOB_TEXT_MAX + JOB_ENHANCED_MAX + JOB_MTA_MAX + 32) + 4 <=
        (int)IPC_BODY_MAX,
    "all results fit into a packet");

void
ipc_job_encode(struct buf *b, const struct ipc_job *m)
{
	size_t i;

	put_u64(b, m->qid);
	put_u64(b, (uint64_t)m->arrived);
	put_span(b, m->sender);
	put_span(b, m->sid);
	put_u64(b, m->offset);
	put_u64(b, m->size);
	put_span(b, m->body);
	put_u32(b, (uint32_t)m->nrcpt);
	for (i = 0; i < m->nrcpt; i++) {
		put_u32(b, m->rcpt[i].index);
		put_span(b, m->rcpt[i].address);
		put_span(b, m->rcpt[i].original);
		put_span(b, m->rcpt[i].mailbox);
	}
	put_u32(b, m->flags);
	put_u32(b, m->transport);
	put_u32(b, m->port);
	put_span(b, m->host);
}

static int
get_job_rcpts(struct span *in, struct ipc_job *m)
{
	struct ipc_job_rcpt *r;
	uint32_t n;

	if (get_u32(in, &n) == -1 || n == 0 || n > JOB_RCPT_MAX)
		return -1;
	m->nrcpt = n;
	for (r = m->rcpt; r < m->rcpt + m->nrcpt; r++)
		if (get_u32(in, &r->index) == -1 ||
		    get_text(in, &r->address, SMTP_PATH_MAX) == -1 ||
		    get_text(in, &r->original, SMTP_PATH_MAX) == -1 ||
		    get_text(in, &r->mailbox, PATH_LEN_MAX) == -1)
			return -1;
	return 0;
}

static int
get_job_hop(struct span *in, struct ipc_job *m)
{
	if (get_u32(in, &m->flags) == -1 || get_u32(in, &m->transport) == -1 ||
	    m->transport > JOB_LMTP_UNIX || get_u32(in, &m->port) == -1 ||
	    m->port > 65535 || get_text(in, &m->host, PATH_LEN_MAX) == -1)
		return -1;
	return (m->transport == JOB_LOCAL) == (m->host.n == 0) ? 0 : -1;
}

int
ipc_job_decode(struct span in, struct ipc_job *m)
{
	uint64_t arrived;

	*m = (struct ipc_job){ 0 };
	if (get_u64(&in, &m->qid) == -1 || get_u64(&in, &arrived) == -1 ||
	    arrived > INT64_MAX ||
	    get_text(&in, &m->sender, SMTP_PATH_MAX) == -1 ||
	    get_text(&in, &m->sid, SID_MAX) == -1 ||
	    get_u64(&in, &m->offset) == -1 || m->offset > INT64_MAX ||
	    get_u64(&in, &m->size) == -1 ||
	    m->size > INT64_MAX - m->offset || /* off_t holds the end */
	    get_span(&in, &m->body, SMALL_BODY_MAX) == -1 ||
	    get_job_rcpts(&in, m) == -1 || get_job_hop(&in, m) == -1 ||
	    in.n != 0)
		return -1;
	m->arrived = (int64_t)arrived;
	return 0;
}

void
ipc_job_is_encode(struct buf *b, const struct ipc_job_is *m)
{
	const struct ipc_result *r;

	put_u32(b, (uint32_t)m->n);
	for (r = m->result; r < m->result + m->n; r++) {
		put_u64(b, r->qid);
		put_u32(b, r->index);
		put_u32(b, r->code);
		put_span(b, r->enhanced);
		put_cut(b, r->text, JOB_TEXT_MAX);
		put_u32(b, r->about);
		put_cut(b, r->host, JOB_MTA_MAX);
	}
}

/* 250, 4xx or 5xx: a result is an end or a "later", nothing between. */
static int
get_result(struct span *in, struct ipc_result *r)
{
	if (get_u64(in, &r->qid) == -1 || get_u32(in, &r->index) == -1 ||
	    get_u32(in, &r->code) == -1 ||
	    get_text(in, &r->enhanced, JOB_ENHANCED_MAX) == -1 ||
	    get_span(in, &r->text, JOB_TEXT_MAX) == -1 ||
	    get_u32(in, &r->about) == -1 || r->about > ABOUT_CROWD ||
	    get_text(in, &r->host, JOB_MTA_MAX) == -1)
		return -1;
	return r->code == 250 || (r->code >= 400 && r->code <= 599) ? 0 : -1;
}

int
ipc_job_is_decode(struct span in, struct ipc_job_is *m)
{
	uint32_t n;
	size_t i;

	m->n = 0;
	if (get_u32(&in, &n) == -1 || n > JOB_RESULT_MAX)
		return -1;
	for (i = 0; i < n; i++)
		if (get_result(&in, &m->result[i]) == -1)
			return -1;
	if (in.n != 0)
		return -1;
	m->n = n;
	return 0;
}
