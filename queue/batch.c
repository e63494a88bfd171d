/*
 * batch: see batch.h. 250 is sent after fsync of the file and of the
 * directory, never before; a failure is temporary for the sender and leaves
 * no file.
 */
#include "queue/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/os_file.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/replies.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/wait.h"

static struct entry *batch;
static size_t nbatch, batch_cap;

struct entry *
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

	reply_log(NULL, r, errnum);
	if (e->msg != NULL)
		message_free(e->msg);
	store_remove(e->qid);
	reply_submit(e->from, e->id, 0, r);
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
	reply_submit(e->from, e->id, e->qid, &R_QUEUED);
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

bool
batch_knows(uint64_t qid)
{
	for (size_t i = 0; i < nbatch; i++)
		if (batch[i].qid == qid)
			return true;
	return false;
}

void
batch_forget(const struct ipc *from)
{
	for (size_t i = 0; i < nbatch; i++)
		if (batch[i].from == from)
			batch[i].from = NULL;
}

void
batch_init(void)
{
	loop_each_turn(batch_commit, NULL);
}
