/*
 * upload: see upload.h.
 *
 *	IPC_SPOOL_OPEN --> unfinished file, fd to smtpd --IPC_SUBMIT--> batch
 *	                        |
 *	                        +--IPC_SPOOL_ABORT, smtpd gone--> removed
 */
#include "queue/upload.h"

#include <errno.h>
#include <sys/resource.h>

#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/ipc_mail.h"
#include "lib/qid.h"
#include "queue/admit.h"
#include "queue/allowance.h"
#include "queue/batch.h"
#include "queue/queue.h"
#include "queue/replies.h"
#include "queue/store.h"

struct upload {
	uint64_t qid;
	int fd;
	struct ipc *from;
	uint32_t envlen, envcrc;
};

static struct upload uploads[QUEUE_UPLOADS_MAX];
static size_t nuploads, uploads_max;

static struct upload *
upload_find(uint64_t qid, const struct ipc *from)
{
	for (size_t i = 0; i < nuploads; i++)
		if (uploads[i].qid == qid && uploads[i].from == from)
			return &uploads[i];
	return NULL;
}

static void
upload_drop(struct upload *s)
{
	fd_close(&s->fd);
	*s = uploads[--nuploads];
}

static const struct reply *
begin(const struct ipc_spool_open *q, struct ipc *from, uint64_t *qid,
    int *append_fd)
{
	const struct reply *why;
	struct admitted in;
	struct spool_head h;
	int fd;

	if (nuploads >= uploads_max)
		return &R_TROUBLE;
	if ((why = admit_unfinished(&q->env, q->size_hint, &in)) != NULL)
		return why;
	if (spool_head_decode(in.front, &h) == -1)
		return &R_WIDE;
	*qid = qid_new();
	if ((fd = store_begin(*qid, in.front, append_fd)) == -1)
		return reply_of_errno(errno);
	uploads[nuploads++] =
	    (struct upload){ *qid, fd, from, h.envlen, h.envcrc };
	return NULL;
}

int
upload_open(struct ipc *from, struct ipc_msg *m)
{
	static struct ipc_spool_open q; /* large: not on the stack */
	const struct reply *why;
	uint64_t qid = 0;
	int fd = -1;

	if (ipc_spool_open_decode(m->body, &q) == -1)
		return -1;
	if ((why = begin(&q, from, &qid, &fd)) != NULL)
		reply_log(&q.env, why, 0);
	if (reply_spool(from, m->id, qid, fd, why) == -1 && why == NULL) {
		/* EMFILE, say: without its file it need not wait for one. */
		why = &R_TROUBLE;
		reply_log(&q.env, why, errno);
		upload_drop(upload_find(qid, from));
		store_remove(qid);
		(void)reply_spool(from, m->id, 0, -1, why);
	}
	fd_close(&fd);
	return 0;
}

int
upload_abort(struct ipc *from, struct ipc_msg *m)
{
	struct ipc_spool_abort q;
	struct upload *s;

	if (ipc_spool_abort_decode(m->body, &q) == -1)
		return -1;
	if ((s = upload_find(q.qid, from)) == NULL)
		return 0; /* crossed with something else */
	store_remove(s->qid);
	upload_drop(s);
	return 0;
}

void
upload_commit(struct ipc *from, uint32_t id, const struct ipc_submit *q)
{
	struct upload *s = upload_find(q->qid, from);
	struct spool_head h = { .whole = true, .size = q->size, .crc = q->crc };
	const struct reply *why;
	struct entry *entry;

	if (s == NULL) {
		reply_submit(from, id, 0, &R_TROUBLE);
		return;
	}
	h.envlen = s->envlen;
	h.envcrc = s->envcrc;
	errno = 0;
	why = allowance_check(&q->env); /* others may have come meanwhile */
	if (why == NULL && store_finish(s->fd, &h) == -1)
		why = reply_of_errno(errno);
	if (why != NULL) {
		reply_log(&q->env, why, errno);
		store_remove(s->qid);
		reply_submit(from, id, 0, why);
		upload_drop(s);
		return;
	}
	allowance_use(&q->env);
	entry = batch_add(s->qid, s->fd);
	entry->from = from;
	entry->id = id;
	s->fd = -1; /* the batch's now */
	upload_drop(s);
}

bool
upload_knows(uint64_t qid)
{
	for (size_t i = 0; i < nuploads; i++)
		if (uploads[i].qid == qid)
			return true;
	return false;
}

void
upload_forget(const struct ipc *from)
{
	for (size_t i = nuploads; i-- > 0;)
		if (uploads[i].from == from) {
			store_remove(uploads[i].qid);
			upload_drop(&uploads[i]);
		}
}

/*
 * Each takes a descriptor until its client is done, which a slow one is not
 * for a long time: small messages and deliveries need theirs meanwhile.
 */
static size_t
uploads_bound(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 ||
	    r.rlim_cur / QUEUE_UPLOADS_SHARE > QUEUE_UPLOADS_MAX)
		return QUEUE_UPLOADS_MAX;
	return (size_t)r.rlim_cur / QUEUE_UPLOADS_SHARE;
}

void
upload_init(void)
{
	uploads_max = uploads_bound();
}
