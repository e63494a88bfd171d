/*
 * change: flush, hold, release, remove.
 */
#include "queue/change.h"

#include "lib/log.h"
#include "queue/destination.h"
#include "queue/route.h"
#include "queue/schedule.h"
#include "queue/select.h"
#include "queue/settle.h"
#include "queue/store.h"
#include "queue/wait.h"

static void
note(struct message *m, enum spool_record_type type)
{
	message_note(m,
	    &(struct spool_record){ .type = type, .when = loop_wall() });
	message_flush(m);
}

static void
say(struct request *q, struct message *m, const char *what)
{
	log_begin(LL_INFO, what);
	log_str("qid", message_qid(m));
	log_str("from", m->sender);
	log_end();
	buf_str(&q->out, message_qid(m));
	buf_char(&q->out, ' ');
	buf_str(&q->out, what);
	buf_char(&q->out, '\n');
	request_say(q, false);
}

/* Now is now, also for hosts that seemed to be down. */
static void
revive(struct message *m)
{
	struct destination *d;
	struct ipc_result is;

	for (size_t i = 0; i < m->nrcpt; i++)
		if (rcpt_is_open(&m->rcpt[i]) &&
		    (d = route_find(&m->rcpt[i], &is)) != NULL)
			destination_revive(d);
}

void
change_flush(struct request *q, struct subject *s)
{
	(void)q;
	if (s->active || s->held)
		return;
	revive(s->m);
	wait_add(s->m->qid, 0, false, 0);
}

static void
revive_one(struct destination *d, void *arg)
{
	(void)arg;
	destination_revive(d);
}

/* No file is read for this. */
void
change_flush_all(void)
{
	destination_each(revive_one, NULL);
	(void)wait_hurry(0, SIZE_MAX, loop_wall());
	schedule_due();
}

void
change_hold(struct request *q, struct subject *s)
{
	if (s->held)
		return;
	s->m->held = true; /* an active one is held when it comes back */
	note(s->m, SPOOL_HELD);
	if (!s->active)
		wait_add(s->m->qid, s->next, true, 0);
	say(q, s->m, "held");
}

void
change_release(struct request *q, struct subject *s)
{
	if (!s->held)
		return;
	s->m->held = false;
	note(s->m, SPOOL_RELEASED);
	if (!s->active)
		wait_add(s->m->qid, 0, false, 0);
	say(q, s->m, "released");
}

void
change_remove(struct request *q, struct subject *s)
{
	say(q, s->m, "removed");
	if (s->active) {
		settle_remove(s->m);
	} else {
		wait_drop(s->m->qid);
		store_remove(s->m->qid);
	}
}
