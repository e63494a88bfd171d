/*
 * peers: the channels to queue and auth.
 *
 * Invariant: s->question is not 0 exactly while its id is in the waiting
 * list of the peer s->asked.
 */
#include "smtpd/peers.h"

#include <assert.h>

#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/pending.h"
#include "smtpd/auth.h"
#include "smtpd/session.h"
#include "smtpd/submit.h"

struct peer {
	enum role role;
	struct ipc *ipc;
	unsigned since;
	struct pending waiting;
	void (*lost)(struct session *); /* the peer died over a question */
};

static struct peer peers[] = {
	{ .role = ROLE_QUEUE, .lost = submit_lost },
	{ .role = ROLE_AUTH, .lost = auth_lost },
};

static const struct answer {
	enum ipc_type type;
	/* s is NULL if who asked is gone. -1: malformed. */
	int (*fn)(struct session *s, struct ipc_msg *);
} answers[] = {
	{ IPC_SUBMIT_IS, submit_answer },
	{ IPC_SPOOL_IS, submit_spool },
	{ IPC_AUTH_IS, auth_answer },
};

static struct peer *
peer_of(enum role role)
{
	size_t i;

	for (i = 0; i < nitems(peers); i++)
		if (peers[i].role == role)
			return &peers[i];
	return NULL;
}

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct peer *p = arg;
	struct session *s;
	size_t i;

	(void)ipc;
	for (i = 0; i < nitems(answers); i++) {
		if (answers[i].type != m->type)
			continue;
		if ((s = pending_take(&p->waiting, m->id)) != NULL)
			s->question = 0;
		if (answers[i].fn(s, m) == 0)
			return 0;
		if (s != NULL) /* no sense in it: as good as no answer */
			p->lost(s);
		return -1;
	}
	return -1;
}

/* Whoever waits for an answer will get none. */
static void
forget(struct peer *p)
{
	struct session *s;

	ipc_free(p->ipc);
	p->ipc = NULL;
	while ((s = pending_take_any(&p->waiting)) != NULL) {
		s->question = 0;
		p->lost(s);
	}
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct peer *p = arg;

	(void)ipc;
	log_msg(LL_WARN, "limit", "%s is gone", role_name(p->role));
	forget(p);
	daemon_peer_lost(p->role);
}

void
peers_set(struct daemon_peer *d)
{
	struct peer *p = peer_of(d->role);

	if (p == NULL)
		return;
	if (p->ipc != NULL)
		forget(p);
	p->ipc = ipc_new(d->fd, ROLE_SMTPD, p->role, on_message, on_gone, p);
	p->since++;
	d->fd = -1;
}

unsigned
peer_since(enum role role)
{
	return peer_of(role)->since;
}

int
peer_ask(enum role role, struct session *s, enum ipc_type type,
    struct span body)
{
	struct peer *p = peer_of(role);
	uint32_t id;

	assert(p != NULL && s->question == 0);
	if (p->ipc == NULL || (id = pending_add(&p->waiting, s)) == 0)
		return -1;
	if (ipc_send(p->ipc, type, id, body, -1, -1) == -1) {
		(void)pending_take(&p->waiting, id);
		return -1;
	}
	s->asked = role;
	s->question = id;
	return 0;
}

void
peer_forget(struct session *s)
{
	if (s->question == 0)
		return;
	(void)pending_take(&peer_of(s->asked)->waiting, s->question);
	s->question = 0;
}

void
peer_tell(enum role role, enum ipc_type type, struct span body)
{
	struct peer *p = peer_of(role);

	if (p != NULL && p->ipc != NULL)
		(void)ipc_send(p->ipc, type, 0, body, -1, -1);
}
