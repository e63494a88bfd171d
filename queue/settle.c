/*
 * settle: from results to the end of a message, or to its next attempt.
 *
 * - a file is unlinked only when every recipient is DONE: delivered, its
 *   failure durably reported (or not reportable), or removed by hand
 * - a failure's report is on stable storage before the failure is forgotten;
 *   a crash in between reports twice
 * - with one recipient nothing is written on success: the unlink says it
 */
#include "queue/settle.h"

#include <stdlib.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/bounce.h"
#include "queue/destination.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/wait.h"

/* --- one recipient ----------------------------------------------------- */

static int64_t
lifetime(const struct message *m)
{
	return (int64_t)(m->sender[0] == '\0' ? queue.conf->bounce_lifetime :
						queue.conf->queue_lifetime);
}

/*
 * Seconds until the next attempt: doubled for each one made, with up to an
 * eighth of jitter, which is the same for all recipients of a message. Never
 * more than twice its age: somebody who says flush again and again does not
 * make it wait for hours.
 */
static int64_t
back_off(const struct message *m)
{
	uint64_t wait = queue.conf->retry_min, most = queue.conf->retry_max;
	uint64_t jitter = hash_plain64(span_of(&m->qid, sizeof(m->qid)),
	    m->attempts);
	int64_t age = loop_wall() - m->arrived;

	for (unsigned i = 0; i < m->attempts && wait < most; i++)
		wait *= 2;
	if (age > 0 && wait > 2 * (uint64_t)age)
		wait = 2 * (uint64_t)age;
	if (wait < queue.conf->retry_min)
		wait = queue.conf->retry_min;
	if (wait > most)
		wait = most;
	return (int64_t)(wait + jitter % (wait / 8 + 1));
}

static void
log_result(const struct rcpt *r, const char *event, const struct ipc_result *is,
    int64_t next)
{
	const struct message *m = r->msg;

	log_begin(LL_INFO, event);
	log_str("qid", message_qid(m));
	log_str("to", r->address);
	if (!span_eq(span_str(r->orig), span_str(r->address)))
		log_str("orig", r->orig);
	log_str("from", m->sender);
	log_num("code", is->code);
	log_span("enhanced", is->enhanced);
	log_int("delay", loop_wall() - m->arrived);
	if (is->host.n > 0)
		log_span("host", is->host);
	if (next > 0)
		log_int("next", next);
	if (is->code >= 400)
		log_span("why", is->text);
	else if (is->host.n > 0) /* it may name the message there */
		log_span("said", is->text);
	log_end();
}

static void
note_result(const struct rcpt *r, const struct ipc_result *is, int64_t next)
{
	struct message *m = r->msg;

	message_note(m,
	    &(struct spool_record){ .type = SPOOL_RESULT,
		.when = loop_wall(),
		.rcpt = (uint32_t)(r - m->rcpt),
		.code = is->code,
		.next = next,
		.enhanced = is->enhanced,
		.text = is->text,
		.host = is->host });
}

static void
keep_reply(struct rcpt *r, const struct ipc_result *is, int64_t next)
{
	char enhanced[12];

	if (r->reply == NULL)
		r->reply = xcalloc(1, sizeof(*r->reply));
	(void)span_copy(enhanced, sizeof(enhanced), is->enhanced);
	reply_set(r->reply, (int)is->code, enhanced, is->text);
	free(r->host);
	r->host = is->host.n == 0 ? NULL : span_dup(is->host);
	r->when = loop_wall();
	r->next = next;
}

static void
done(struct rcpt *r, const struct ipc_result *is)
{
	r->state = RCPT_DONE;
	log_result(r, "delivered", is, 0);
	if (r->msg->nrcpt > 1)
		note_result(r, is, 0);
}

static void
failed(struct rcpt *r, const struct ipc_result *is, const char *event)
{
	r->state = RCPT_FAILED;
	keep_reply(r, is, 0);
	log_result(r, event, is, 0);
	if (r->msg->nrcpt > 1)
		note_result(r, is, 0);
}

static void
expired(struct rcpt *r, const struct ipc_result *is)
{
	struct ipc_result end = { .code = 554, .enhanced = SPAN("5.4.7"),
		.host = is->host };
	struct buf text;

	buf_init(&text, sizeof(((struct reply_copy *)0)->text) + 64);
	buf_fmt(&text, "given up after %jd hours, last answer: ",
	    (intmax_t)((loop_wall() - r->msg->arrived) / 3600));
	buf_span(&text, is->text);
	end.text = buf_get(&text);
	failed(r, &end, "expired");
	buf_fini(&text);
}

static void
deferred(struct rcpt *r, const struct ipc_result *is)
{
	int64_t wait = back_off(r->msg);

	r->state = RCPT_DEFERRED;
	if (r->dest != NULL)
		r->msg->tag = r->dest->tag;
	keep_reply(r, is, loop_wall() + wait);
	log_result(r, "deferred", is, wait);
	note_result(r, is, loop_wall() + wait);
}

void
settle_result(struct rcpt *r, const struct ipc_result *is)
{
	struct message *m = r->msg;

	if (m->removed)
		r->state = RCPT_DONE;
	else if (is->code < 400)
		done(r, is);
	else if (is->code >= 500)
		failed(r, is, "bounced");
	else if (loop_wall() - m->arrived >= lifetime(m))
		expired(r, is);
	else
		deferred(r, is);
	r->dest = NULL;
	m->nbusy--;
	settle_message(m);
}

void
settle_discard(struct rcpt *r)
{
	struct ipc_result is = { .code = 250 };

	r->state = RCPT_DONE;
	log_result(r, "discarded", &is, 0);
	if (r->msg->nrcpt > 1)
		note_result(r, &is, 0);
	r->msg->nbusy--;
	settle_message(r->msg);
}

/* --- the message ------------------------------------------------------- */

static size_t
count_in(const struct message *m, enum rcpt_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nrcpt; i++)
		if (m->rcpt[i].state == state)
			n++;
	return n;
}

static void
leave(struct message *m)
{
	store_remove(m->qid);
	buf_clear(&m->log); /* nobody will read it */
	message_free(m);
}

static void
wait_for(struct message *m, int64_t seconds)
{
	message_flush(m);
	wait_add(m->qid, loop_wall() + seconds, m->held, m->tag);
	message_free(m);
}

static void
warn_sender(struct message *m)
{
	if (m->warned || m->sender[0] == '\0' ||
	    queue.conf->delay_warning == 0 ||
	    loop_wall() - m->arrived < (int64_t)queue.conf->delay_warning)
		return;
	if (bounce_send(m, RCPT_DEFERRED, NULL) == -1)
		return; /* next time, perhaps */
	m->warned = true;
	message_note(m,
	    &(struct spool_record){ .type = SPOOL_WARNED,
		.when = loop_wall() });
}

/* No report can be stored, say since its address leads nowhere; not for ever. */
static bool
report_is_hopeless(const struct message *m)
{
	if (loop_wall() - m->arrived < (int64_t)(queue.conf->queue_lifetime +
					    queue.conf->bounce_lifetime))
		return false;
	log_begin(LL_ERROR, "dropped");
	log_str("qid", message_qid(m));
	log_str("from", m->sender);
	log_str("why", "no report can be stored for its sender");
	log_end();
	return true;
}

/* The report of m's failures is durable, or could not be made so. */
static void
reported(struct message *m, bool durable)
{
	m->settling = false;
	if (!durable && !report_is_hopeless(m)) {
		/* The results are in the file, or the attempt is repeated. */
		wait_for(m, (int64_t)queue.conf->retry_min);
		return;
	}
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (m->rcpt[i].state != RCPT_FAILED)
			continue;
		m->rcpt[i].state = RCPT_DONE;
		if (m->nrcpt > 1)
			message_note(m,
			    &(struct spool_record){ .type = SPOOL_BOUNCED,
				.when = loop_wall(),
				.rcpt = (uint32_t)i });
	}
	settle_message(m);
}

static void
report(struct message *m)
{
	m->settling = true;
	if (bounce_send(m, RCPT_FAILED, reported) == -1)
		reported(m, false);
}

void
settle_message(struct message *m)
{
	if (m->settling || m->nbusy > 0)
		return;
	if (count_in(m, RCPT_FAILED) > 0 && !m->removed) {
		report(m);
	} else if (count_in(m, RCPT_DEFERRED) > 0 && !m->removed) {
		warn_sender(m);
		wait_for(m, back_off(m));
	} else {
		leave(m);
	}
}

void
settle_remove(struct message *m)
{
	struct ipc_result none = { .code = 250 };

	m->removed = true;
	m->nbusy++; /* holds it until the end of this function */
	for (size_t i = 0; i < m->nrcpt; i++)
		if (m->rcpt[i].state == RCPT_READY) {
			schedule_drop(&m->rcpt[i]);
			settle_result(&m->rcpt[i], &none);
		}
	m->nbusy--;
	settle_message(m);
}
