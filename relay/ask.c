/*
 * ask: a question is owned by who asked; it is freed after its answer was
 * given, and is forgotten (owner gone, slot kept) by ask_forget(). Who does
 * not answer in time, say since its answer was lost for lack of room, has
 * answered that he does not know: no job waits for ever.
 */
#include "relay/ask.h"

#include <stdlib.h>

#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/pending.h"
#include "relay/relay.h"

struct question {
	ask_dns_fn *dns;
	ask_connect_fn *connect;
	void *arg; /* NULL: nobody waits any more */
	unsigned tag;
	struct pending *at;
	uint32_t id;
	struct timer timer;
};

static struct {
	struct daemon *daemon;
	struct ipc *dns;
	struct pending at_dns, at_master;
} ask;

void
ask_init(struct daemon *d)
{
	ask.daemon = d;
}

static struct question *
question_new(void *arg, unsigned tag)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->arg = arg;
	q->tag = tag;
	return q;
}

/* No answer: as good as one that says nothing. */
static void
question_end(struct question *q, const struct ipc_dns_is *is)
{
	void *arg = q->arg;

	q->arg = NULL;
	loop_untimer(&q->timer);
	if (arg != NULL && q->dns != NULL)
		q->dns(arg, q->tag, is);
	else if (arg != NULL)
		q->connect(arg, -1, SPAN("master does not answer"));
	free(q);
}

static void
on_late(struct timer *t)
{
	struct question *q = t->arg;

	(void)pending_take(q->at, q->id);
	question_end(q, NULL);
}

/* What was encoded goes out; NULL and q is freed if it does not. */
static struct question *
question_send(struct question *q, struct ipc *to, struct pending *p,
    enum ipc_type type, struct buf *b)
{
	q->at = p;
	q->id = to == NULL || b->bad ? 0 : pending_add(p, q);
	if (q->id != 0 &&
	    ipc_send(to, type, q->id, buf_get(b), -1, -1) == -1) {
		(void)pending_take(p, q->id);
		q->id = 0;
	}
	buf_fini(b);
	if (q->id == 0) {
		free(q);
		return NULL;
	}
	q->timer = (struct timer){ .fn = on_late, .arg = q };
	loop_timer(&q->timer,
	    relay.conf->dns_timeout * 1000 + RELAY_ASK_MS);
	return q;
}

void
ask_forget(struct question **q)
{
	if (*q != NULL)
		(*q)->arg = NULL;
	*q = NULL;
}

/* --- dns --------------------------------------------------------------- */

static int
on_dns(struct ipc *dns, struct ipc_msg *m, void *arg)
{
	static struct ipc_dns_is is; /* large: not on the stack */
	struct question *q;

	(void)dns;
	(void)arg;
	if (m->type != IPC_DNS_IS || ipc_dns_is_decode(m->body, &is) == -1)
		return -1;
	if ((q = pending_take(&ask.at_dns, m->id)) != NULL)
		question_end(q, &is);
	return 0;
}

static void
dns_forget(void)
{
	struct question *q;

	ipc_free(ask.dns);
	ask.dns = NULL;
	while ((q = pending_take_any(&ask.at_dns)) != NULL)
		question_end(q, NULL);
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	(void)ipc;
	(void)arg;
	log_msg(LL_WARN, "limit", "dns is gone");
	dns_forget();
	daemon_peer_lost(ROLE_DNS);
}

void
ask_dns_peer(struct daemon_peer *p)
{
	if (ask.dns != NULL)
		dns_forget();
	ask.dns = ipc_new(p->fd, ROLE_RELAY, ROLE_DNS, on_dns, on_gone, NULL);
	p->fd = -1;
}

struct question *
ask_dns(enum dns_type type, const char *name, ask_dns_fn *fn, void *arg,
    unsigned tag)
{
	struct ipc_dns msg = { (uint32_t)type, span_str(name) };
	struct question *q = question_new(arg, tag);
	struct buf b;

	q->dns = fn;
	buf_init(&b, 1024);
	ipc_dns_encode(&b, &msg);
	return question_send(q, ask.dns, &ask.at_dns, IPC_DNS, &b);
}

/* --- master ------------------------------------------------------------ */

int
ask_master_message(struct ipc *master, struct ipc_msg *m)
{
	struct ipc_connect_is is;
	struct question *q;
	void *arg;
	int fd;

	(void)master;
	if (m->type != IPC_CONNECT_IS ||
	    ipc_connect_is_decode(m->body, &is) == -1)
		return -1;
	if ((q = pending_take(&ask.at_master, m->id)) == NULL)
		return 0; /* the descriptor is closed by who called */
	arg = q->arg;
	fd = m->fd[0];
	loop_untimer(&q->timer);
	if (arg != NULL) {
		m->fd[0] = -1;
		q->connect(arg, fd, is.why);
	}
	free(q);
	return 0;
}

struct question *
ask_connect(const char *path, ask_connect_fn *fn, void *arg)
{
	struct ipc_connect msg = { span_str(path) };
	struct question *q = question_new(arg, 0);
	struct buf b;

	q->connect = fn;
	buf_init(&b, PATH_LEN_MAX + 64);
	ipc_connect_encode(&b, &msg);
	return question_send(
	    q, ask.daemon->master, &ask.at_master, IPC_CONNECT, &b);
}
