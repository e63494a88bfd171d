/*
 * intake: from smtpd's packets to durable files.
 *
 *	IPC_SUBMIT, inline --> admitted, file written --+
 *	IPC_SPOOL_OPEN --> upload --IPC_SUBMIT, qid-----+--> batch --> 250
 */
#include "queue/intake.h"

#include <errno.h>

#include "lib/crc.h"
#include "lib/ipc_mail.h"
#include "lib/loop.h"
#include "lib/qid.h"
#include "queue/admit.h"
#include "queue/allowance.h"
#include "queue/batch.h"
#include "queue/message.h"
#include "queue/replies.h"
#include "queue/store.h"
#include "queue/upload.h"

/* The body with our id where smtpd left room for it, in its trace header. */
static struct span
mark(struct span body, size_t id_at, uint64_t qid)
{
	static struct buf marked = { .max = SMALL_BODY_MAX };
	char id[QID_TEXT_MAX];

	if (id_at == 0)
		return body;
	buf_clear(&marked);
	buf_span(&marked, body);
	qid_text(qid, id);
	buf_patch(&marked, id_at, span_str(id));
	return buf_get(&marked);
}

/* Writes a whole message and puts it into the batch; NULL and why. */
static struct entry *
take_whole(const struct envelope *e, struct span text, size_t id_at,
    const struct reply **why)
{
	uint64_t qid = qid_new();
	struct span body = mark(text, id_at, qid);
	uint32_t crc = crc32c(0, body.p, body.n);
	struct admitted in;
	struct entry *entry;
	int fd;

	if ((*why = admit_whole(e, body.n, crc, &in)) != NULL)
		return NULL;
	errno = 0;
	if ((fd = store_write(qid, in.front, body)) == -1) {
		*why = reply_of_errno(errno);
		return NULL;
	}
	allowance_use(e);
	entry = batch_add(qid, fd);
	entry->msg = message_new(qid, e, in.final, in.n,
	    (uint32_t)(in.front.n - SPOOL_HEAD), body.n, crc, body);
	entry->msg->incoming = true;
	return entry;
}

int
intake_own(const struct envelope *e, struct span body,
    void (*done)(void *arg, bool durable), void *arg)
{
	const struct reply *why;
	struct entry *entry;

	entry = take_whole(e, body, 0, &why);
	if (entry == NULL) {
		reply_log(e, why, 0);
		return -1;
	}
	entry->done = done;
	entry->arg = arg;
	loop_again();
	return 0;
}

static int
submit(struct ipc *from, struct ipc_msg *m)
{
	static struct ipc_submit q; /* large: not on the stack */
	const struct reply *why;
	struct entry *entry;

	if (ipc_submit_decode(m->body, &q) == -1)
		return -1;
	/* A wrong one would damage the message at the next start. */
	if (q.qid == 0 && crc32c(0, q.body.p, q.body.n) != q.crc)
		return -1;
	if (q.qid != 0) {
		upload_commit(from, m->id, &q);
		return 0;
	}
	errno = 0;
	if ((entry = take_whole(&q.env, q.body, q.id_at, &why)) == NULL) {
		reply_log(&q.env, why, errno);
		reply_submit(from, m->id, 0, why);
		return 0;
	}
	entry->from = from;
	entry->id = m->id;
	return 0;
}

int
intake_message(struct ipc *from, struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_SUBMIT:
		return submit(from, m);
	case IPC_SPOOL_OPEN:
		return upload_open(from, m);
	case IPC_SPOOL_ABORT:
		return upload_abort(from, m);
	default:
		return -1;
	}
}

void
intake_forget(struct ipc *from)
{
	upload_forget(from);
	batch_forget(from);
}

bool
intake_knows(uint64_t qid)
{
	return upload_knows(qid) || batch_knows(qid);
}

void
intake_init(void)
{
	admit_init();
	upload_init();
	batch_init();
}
