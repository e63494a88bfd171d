/*
 * intake: from smtpd's packets to durable files.
 *
 *	IPC_SUBMIT, inline --> file written ------------+
 *	IPC_SPOOL_OPEN --> unfinished file, fd to smtpd |
 *	   IPC_SUBMIT, qid --> head marked whole -------+--> batch
 *	batch, at the end of the turn: start writeback of all, fsync each,
 *	fsync the directory, answer each 250, deliver
 *
 * - 250 is sent after fsync of the file and of the directory, never before
 * - addresses are resolved before the file is written, so the file holds the
 *   final recipients and later changes of maps cannot confuse its log
 * - every failure is temporary for the sender (4xx) and leaves no file
 */
#include "queue/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/crc.h"
#include "lib/die.h"
#include "lib/ipc_mail.h"
#include "lib/log.h"
#include "lib/os_file.h"
#include "lib/qid.h"
#include "lib/reply.h"
#include "lib/resolve.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/wait.h"

static const struct reply R_SPACE = { 452, "4.3.1",
	"insufficient system storage, try again later" };
static const struct reply R_TROUBLE = { 451, "4.3.0",
	"local trouble, try again later" };
static const struct reply R_MAPS = { 451, "4.3.0",
	"recipient cannot be looked up, try again later" };
static const struct reply R_WIDE = { 452, "4.5.3",
	"too many final recipients, send fewer at once" };

/* A file that waits for the end of the turn. */
struct entry {
	uint64_t qid;
	int fd;
	struct message *msg;   /* NULL: to be loaded from the file */
	struct ipc *from;      /* who waits for the answer; NULL: nobody */
	uint32_t id;
	void (*done)(void *arg, bool durable);
	void *arg;
	int err;               /* of fsync; 0: synced */
};

/* A large message that smtpd is writing. */
struct spool {
	uint64_t qid;
	int fd;
	struct ipc *from;
	uint32_t envlen, envcrc;
};

static struct entry *batch;
static size_t nbatch, batch_cap;
static struct spool spools[QUEUE_SPOOLS_MAX];
static size_t nspools, spools_max;

/* Large; one is in use at a time. */
static struct spool_final finals[SPOOL_FINAL_MAX];
static struct resolved_list list;
static struct buf front = { .max = SPOOL_HEAD + SPOOL_ENVELOPE_MAX };

/* --- recipients -------------------------------------------------------- */

/*
 * Fills finals from e's recipients: aliases followed, duplicates gone. How
 * many, or 0 and why not. A recipient unknown by now stays: it fails at
 * delivery, and its sender hears of it.
 */
static size_t
admit(const struct envelope *e, const struct reply **why)
{
	const char *reason = NULL;
	size_t n = 0, before, added;

	list.n = 0;
	buf_clear(&list.mem);
	for (uint32_t i = 0; i < e->nrcpt; i++) {
		if (n == SPOOL_FINAL_MAX) {
			*why = &R_WIDE;
			return 0;
		}
		before = list.n;
		switch (resolve_all(queue.conf, &queue.maps, e->rcpt[i], &list,
		    &reason)) {
		case RESOLVE_ERROR:
			log_begin(LL_ERROR, "resolve");
			log_span("to", e->rcpt[i]);
			log_str("why", reason);
			log_end();
			*why = &R_MAPS;
			return 0;
		case RESOLVE_UNKNOWN:
			finals[n++] = (struct spool_final){ i, e->rcpt[i] };
			continue;
		default:
			added = list.n - before;
			break;
		}
		if (added > SPOOL_FINAL_MAX - n) { /* all of them, or none */
			*why = &R_WIDE;
			return 0;
		}
		for (; added > 0; added--)
			finals[n++] = (struct spool_final){ .from = i };
	}
	return n;
}

/* The list's memory moves while it grows: addresses are taken at the end. */
static void
admit_addresses(size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (finals[i].address.p == NULL)
			finals[i].address = list.rcpt[k++].address;
}

static size_t
recipients(const struct envelope *e, const struct reply **why)
{
	size_t n;

	n = admit(e, why);
	admit_addresses(n);
	if (n == 0 && *why == NULL)
		*why = &R_MAPS;
	return n;
}

/* --- answers ----------------------------------------------------------- */

static const struct reply *
reply_of_errno(int e)
{
	return e == ENOSPC || e == EDQUOT ? &R_SPACE : &R_TROUBLE;
}

static void
log_refusal(const struct envelope *e, const struct reply *r, int errnum)
{
	log_begin(errnum != 0 ? LL_ERROR : LL_WARN, "refused");
	if (e != NULL) {
		log_span("sid", e->sid);
		log_span("from", e->sender);
	}
	log_num("code", (uint64_t)r->code);
	log_str("what", r->text);
	if (errnum != 0)
		log_err(errnum);
	log_end();
}

static void
answer(struct ipc *to, uint32_t id, uint64_t qid, const struct reply *r)
{
	struct ipc_submit_is is = { qid, (uint32_t)r->code,
		span_str(r->enhanced), span_str(r->text) };
	struct buf b;

	if (to == NULL)
		return;
	buf_init(&b, 1024);
	ipc_submit_is_encode(&b, &is);
	(void)ipc_send(to, IPC_SUBMIT_IS, id, buf_get(&b), -1, -1);
	buf_fini(&b);
}

static int
answer_spool(struct ipc *to, uint32_t id, uint64_t qid, int fd,
    const struct reply *r)
{
	struct ipc_spool_is is = { .qid = qid };
	struct buf b;
	int rc;

	if (r != NULL) {
		is.code = (uint32_t)r->code;
		is.enhanced = span_str(r->enhanced);
		is.text = span_str(r->text);
	}
	buf_init(&b, 1024);
	ipc_spool_is_encode(&b, &is);
	rc = ipc_send(to, IPC_SPOOL_IS, id, buf_get(&b), fd, -1);
	buf_fini(&b);
	return rc;
}

/* --- the batch --------------------------------------------------------- */

static struct entry *
batch_add(uint64_t qid, int fd)
{
	struct entry *e;

	if (nbatch == batch_cap) {
		batch_cap = batch_cap == 0 ? 64 : 2 * batch_cap;
		batch = xreallocarray(batch, batch_cap, sizeof(*batch));
	}
	e = &batch[nbatch++];
	*e = (struct entry){ .qid = qid, .fd = fd };
	return e;
}

static void
entry_lost(struct entry *e, int errnum)
{
	const struct reply *r = reply_of_errno(errnum);

	log_refusal(NULL, r, errnum);
	if (e->msg != NULL)
		message_free(e->msg);
	store_remove(e->qid);
	answer(e->from, e->id, 0, r);
	if (e->done != NULL)
		e->done(e->arg, false);
}

static void
log_queued(const struct message *m)
{
	log_begin(LL_INFO, "queued");
	log_str("qid", message_qid(m));
	log_str("sid", m->sid);
	log_str("from", m->sender);
	log_num("size", m->size);
	log_num("nrcpt", m->norig);
	log_str("client", m->client);
	log_end();
}

/* It is durable: say so, and send it on its way. */
static void
entry_kept(struct entry *e)
{
	static const struct reply ok = { 250, "2.0.0", "queued" };

	answer(e->from, e->id, e->qid, &ok);
	if (e->msg != NULL)
		e->msg->incoming = false;
	if (e->msg == NULL && (e->msg = message_load(e->qid, false)) == NULL) {
		wait_add(e->qid, loop_wall(), false, 0); /* EMFILE, say */
	} else {
		log_queued(e->msg);
		if (queue.stopping ||
		    message_count() > queue.conf->active_max) {
			message_free(e->msg);
			wait_add(e->qid, loop_wall(), false, 0);
		} else {
			schedule_message(e->msg);
		}
	}
	if (e->done != NULL)
		e->done(e->arg, true);
}

static void
batch_sync(size_t n)
{
	for (size_t i = 0; n > 1 && i < n; i++)
		os_writeback(batch[i].fd);
	for (size_t i = 0; i < n; i++) {
		if (fsync(batch[i].fd) == -1)
			batch[i].err = errno;
		fd_close(&batch[i].fd);
	}
}

static void
batch_commit(void *arg)
{
	size_t n = nbatch;
	struct entry *now = batch;
	size_t now_cap = batch_cap;
	int failed = 0;

	(void)arg;
	if (n == 0)
		return;
	batch_sync(n);
	if (store_sync() == -1)
		failed = errno;
	/* What follows may add to the next batch. */
	batch = NULL;
	nbatch = batch_cap = 0;
	for (size_t i = 0; i < n; i++) {
		if (failed != 0 || now[i].err != 0)
			entry_lost(&now[i], failed != 0 ? failed : now[i].err);
		else
			entry_kept(&now[i]);
	}
	if (batch == NULL) { /* keep the memory */
		batch = now;
		batch_cap = now_cap;
	} else {
		free(now);
		loop_again();
	}
}

/* --- small messages ---------------------------------------------------- */

/* Writes a whole message and puts it into the batch; NULL and why. */
static struct entry *
take_whole(const struct envelope *e, struct span body, uint32_t crc,
    const struct reply **why)
{
	uint64_t qid = qid_new();
	struct entry *entry;
	size_t n;
	int fd;

	*why = NULL;
	if (!store_has_room(body.n)) {
		*why = &R_SPACE;
		return NULL;
	}
	if ((n = recipients(e, why)) == 0)
		return NULL;
	buf_clear(&front);
	spool_front_encode(&front, e, finals, n, true, body.n, crc);
	if (front.bad) {
		*why = &R_WIDE;
		return NULL;
	}
	errno = 0;
	if ((fd = store_write(qid, buf_get(&front), body)) == -1) {
		*why = reply_of_errno(errno);
		return NULL;
	}
	entry = batch_add(qid, fd);
	entry->msg = message_new(qid, e, finals, n,
	    (uint32_t)(front.n - SPOOL_HEAD), body.n, crc, body);
	entry->msg->incoming = true;
	return entry;
}

int
intake_own(const struct envelope *e, struct span body,
    void (*done)(void *arg, bool durable), void *arg)
{
	const struct reply *why;
	struct entry *entry;

	entry = take_whole(e, body, crc32c(0, body.p, body.n), &why);
	if (entry == NULL) {
		log_refusal(e, why, 0);
		return -1;
	}
	entry->done = done;
	entry->arg = arg;
	loop_again();
	return 0;
}

/* --- large messages ---------------------------------------------------- */

static struct spool *
spool_find(uint64_t qid, const struct ipc *from)
{
	for (size_t i = 0; i < nspools; i++)
		if (spools[i].qid == qid && spools[i].from == from)
			return &spools[i];
	return NULL;
}

static void
spool_drop(struct spool *s)
{
	fd_close(&s->fd);
	*s = spools[--nspools];
}

static const struct reply *
spool_begin(const struct ipc_spool_open *q, struct ipc *from, uint64_t *qid,
    int *append_fd)
{
	const struct reply *why = NULL;
	struct spool_head h;
	struct spool *s;
	size_t n;
	int fd;

	if (nspools >= spools_max)
		return &R_TROUBLE;
	if (!store_has_room(q->size_hint))
		return &R_SPACE;
	if ((n = recipients(&q->env, &why)) == 0)
		return why;
	buf_clear(&front);
	spool_front_encode(&front, &q->env, finals, n, false, 0, 0);
	if (front.bad || spool_head_decode(buf_get(&front), &h) == -1)
		return &R_WIDE;
	*qid = qid_new();
	if ((fd = store_begin(*qid, buf_get(&front), append_fd)) == -1)
		return reply_of_errno(errno);
	s = &spools[nspools++];
	*s = (struct spool){ *qid, fd, from, h.envlen, h.envcrc };
	return NULL;
}

static int
spool_open(struct ipc *from, struct ipc_msg *m)
{
	static struct ipc_spool_open q; /* large: not on the stack */
	const struct reply *why;
	uint64_t qid = 0;
	int fd = -1;

	if (ipc_spool_open_decode(m->body, &q) == -1)
		return -1;
	if ((why = spool_begin(&q, from, &qid, &fd)) != NULL)
		log_refusal(&q.env, why, 0);
	if (answer_spool(from, m->id, qid, fd, why) == -1 && why == NULL) {
		/* EMFILE, say: without its file it need not wait for one. */
		why = &R_TROUBLE;
		log_refusal(&q.env, why, errno);
		spool_drop(spool_find(qid, from));
		store_remove(qid);
		(void)answer_spool(from, m->id, 0, -1, why);
	}
	fd_close(&fd);
	return 0;
}

static int
spool_abort(struct ipc *from, struct ipc_msg *m)
{
	struct ipc_spool_abort q;
	struct spool *s;

	if (ipc_spool_abort_decode(m->body, &q) == -1)
		return -1;
	if ((s = spool_find(q.qid, from)) == NULL)
		return 0; /* crossed with something else */
	store_remove(s->qid);
	spool_drop(s);
	return 0;
}

static void
spool_commit(struct ipc *from, uint32_t id, const struct ipc_submit *q)
{
	struct spool *s = spool_find(q->qid, from);
	struct spool_head h = { .whole = true, .size = q->size, .crc = q->crc };
	const struct reply *why;
	struct entry *entry;

	if (s == NULL) {
		answer(from, id, 0, &R_TROUBLE);
		return;
	}
	h.envlen = s->envlen;
	h.envcrc = s->envcrc;
	if (store_finish(s->fd, &h) == -1) {
		why = reply_of_errno(errno);
		log_refusal(&q->env, why, errno);
		store_remove(s->qid);
		answer(from, id, 0, why);
		spool_drop(s);
		return;
	}
	entry = batch_add(s->qid, s->fd);
	entry->from = from;
	entry->id = id;
	s->fd = -1; /* the batch's now */
	spool_drop(s);
}

/* --- smtpd ------------------------------------------------------------- */

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
		spool_commit(from, m->id, &q);
		return 0;
	}
	errno = 0;
	if ((entry = take_whole(&q.env, q.body, q.crc, &why)) == NULL) {
		log_refusal(&q.env, why, errno);
		answer(from, m->id, 0, why);
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
		return spool_open(from, m);
	case IPC_SPOOL_ABORT:
		return spool_abort(from, m);
	default:
		return -1;
	}
}

void
intake_forget(struct ipc *from)
{
	for (size_t i = nspools; i-- > 0;)
		if (spools[i].from == from) {
			store_remove(spools[i].qid);
			spool_drop(&spools[i]);
		}
	for (size_t i = 0; i < nbatch; i++)
		if (batch[i].from == from)
			batch[i].from = NULL;
}

bool
intake_knows(uint64_t qid)
{
	for (size_t i = 0; i < nspools; i++)
		if (spools[i].qid == qid)
			return true;
	for (size_t i = 0; i < nbatch; i++)
		if (batch[i].qid == qid)
			return true;
	return false;
}

/*
 * Each takes a descriptor until its client is done, which a slow one is not
 * for a long time: small messages and deliveries need theirs meanwhile.
 */
static size_t
spools_bound(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 ||
	    r.rlim_cur / QUEUE_SPOOLS_SHARE > QUEUE_SPOOLS_MAX)
		return QUEUE_SPOOLS_MAX;
	return (size_t)r.rlim_cur / QUEUE_SPOOLS_SHARE;
}

void
intake_init(void)
{
	spools_max = spools_bound();
	list.mem.max = 16 * 1024 * 1024;
	loop_each_turn(batch_commit, NULL);
}
