/*
 * request: one question, from its packet to its answer.
 *
 *	take --malformed--> that peer is cut off, no other
 *	  |--> limited ----------------------------> wait -> AUTH_LIMITED
 *	  |--> known to be wrong: no hash ---------> wait -> AUTH_BAD
 *	  |--> hash: wrong, unknown, not a name ---> wait -> AUTH_BAD
 *	  |--> hash: right, smtp ------------------> AUTH_OK
 *	  `--> hash: right, pop3 or imap: ask master for the session
 *	             `--> SESSION_IS --> AUTH_OK, AUTH_FULL or AUTH_LATER
 *
 * "wait" is a timer, so no other request waits with it. The password is used
 * in the packet's buffer and overwritten there; no copy of it is made here.
 */
#include "auth/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/credentials.h"
#include "auth/penalty.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/ipc_auth.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/password.h"
#include "lib/pending.h"

struct request {
	struct request *next, **prev; /* all requests */
	struct ipc *peer;             /* NULL: gone meanwhile */
	uint32_t id;
	struct timer timer;
	enum auth_verdict verdict;
	char user[AUTH_NAME_MAX + 1]; /* canonical, for AUTH_OK */
};

static struct daemon *self;
static struct request *all;
static size_t waiting;
static struct pending sessions; /* questions to master */

static const struct service {
	struct span name;
	enum role from, session; /* session: ROLE_COUNT: none */
} services[] = {
	{ SPAN("smtp"), ROLE_SMTPD, ROLE_COUNT },
	{ SPAN("pop3"), ROLE_LOGIN, ROLE_POP3D },
	{ SPAN("imap"), ROLE_LOGIN, ROLE_IMAPD },
};

void
request_init(struct daemon *d)
{
	self = d;
}

static struct request *
request_new(struct ipc *peer, uint32_t id)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->peer = peer;
	r->id = id;
	r->next = all;
	r->prev = &all;
	if (all != NULL)
		all->prev = &r->next;
	all = r;
	waiting++;
	return r;
}

static void
request_free(struct request *r)
{
	loop_untimer(&r->timer);
	*r->prev = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	waiting--;
	free(r);
}

static void
answer(struct ipc *peer, uint32_t id, enum auth_verdict verdict,
    struct span user, struct span why)
{
	struct ipc_auth_is is = { .verdict = verdict, .user = user,
		.why = why };
	struct buf out;

	if (peer == NULL)
		return;
	buf_init(&out, 4096);
	ipc_auth_is_encode(&out, &is);
	/* A peer that does not read its answers loses them, and only it. */
	if (!out.bad)
		(void)ipc_send(peer, IPC_AUTH_IS, id, buf_get(&out), -1, -1);
	buf_fini(&out);
}

static void
request_answer(struct request *r, struct span why)
{
	answer(r->peer, r->id, r->verdict,
	    r->verdict == AUTH_OK ? span_str(r->user) : SPAN_NONE, why);
	request_free(r);
}

static void
on_waited(struct timer *t)
{
	request_answer(t->arg, SPAN_NONE);
}

/* Later: twice as late with each guess, and never at once. */
static uint64_t
delay_of(const struct conf *c, const struct penalty *p)
{
	unsigned n = p->network > p->account ? p->network : p->account;
	uint64_t ms = c->auth_delay << (n < 2 ? 0 : n > 9 ? 8 : n - 1);

	return ms > AUTH_DELAY_MAX ? AUTH_DELAY_MAX : ms;
}

static void
request_wait(struct request *r, enum auth_verdict verdict, uint64_t ms)
{
	r->verdict = verdict;
	if (ms == 0) {
		request_answer(r, SPAN_NONE);
		return;
	}
	r->timer.fn = on_waited;
	r->timer.arg = r;
	loop_timer(&r->timer, ms);
}

static void
log_verdict(const struct ipc_auth *a, struct span key, const char *result,
    const char *why)
{
	log_begin(LL_INFO, "auth");
	log_span("sid", a->sid);
	log_span("user", key);
	log_span("client", a->remote);
	log_span("service", a->service);
	log_str("result", result);
	log_str("why", why);
	log_end();
}

/* The hash was right: may the session begin? Takes no descriptor. */
static void
session_ask(struct request *r, const struct ipc_auth *a,
    const struct account *acc, enum role service, int fd)
{
	struct ipc_session s = { .service = service, .uid = acc->uid,
		.gid = acc->gid, .user = acc->user, .root = acc->root,
		.mailbox = acc->mailbox, .login = acc->address,
		.remote = a->remote, .sid = a->sid, .input = a->input,
		.tag = a->tag };
	uint32_t id = pending_add(&sessions, r);
	struct buf out;
	bool sent = false;

	buf_init(&out, IPC_BODY_MAX);
	ipc_session_encode(&out, &s);
	if (id != 0 && !out.bad)
		sent = ipc_send(self->master, IPC_SESSION, id, buf_get(&out),
		    fd, -1) == 0;
	buf_fini(&out);
	if (sent)
		return;
	if (id != 0)
		(void)pending_take(&sessions, id);
	r->verdict = AUTH_LATER;
	request_answer(r, SPAN("master does not take sessions now"));
}

int
request_session_is(struct ipc_msg *m)
{
	struct ipc_session_is is;
	struct request *r;

	if (ipc_session_is_decode(m->body, &is) == -1)
		return -1;
	r = pending_take(&sessions, m->id);
	if (r == NULL)
		return 0; /* answered when we began to stop */
	r->verdict = is.why.n == 0 ? AUTH_OK
	    : is.full != 0         ? AUTH_FULL
				   : AUTH_LATER;
	request_answer(r, is.why);
	return 0;
}

static void
failed(struct request *r, const struct ipc_auth *a, struct span key,
    bool valid, const char *why)
{
	struct penalty p = { 0 };

	/* Without a valid name no password was tried: it may be right. */
	penalty_add(a->remote, valid ? key : SPAN_NONE, a->password,
	    loop_wall(), &p);
	log_verdict(a, key, "bad", why);
	request_wait(r, AUTH_BAD, delay_of(self->conf, &p));
}

static bool
is_limited(const struct ipc_auth *a, struct span key)
{
	struct penalty p;

	penalty_look(a->remote, key, loop_wall(), &p);
	return p.network >= self->conf->auth_failures ||
	    (p.account >= self->conf->auth_failures && !p.known);
}

static void
decide(struct request *r, const struct ipc_auth *a, const struct service *s,
    struct span key, bool valid, int fd)
{
	struct account acc;

	if (is_limited(a, key)) {
		log_verdict(a, key, "limited", "too many wrong passwords");
		request_wait(r, AUTH_LIMITED, self->conf->auth_delay);
		return;
	}
	if (valid && credentials_ready() &&
	    penalty_was_wrong(key, a->password, loop_wall())) {
		failed(r, a, key, true, "the same wrong password again");
		return;
	}
	switch (credentials_check(key, valid, a->password, &acc)) {
	case CREDENTIALS_OK:
		break;
	case CREDENTIALS_WRONG:
		failed(r, a, key, true, "wrong password");
		return;
	case CREDENTIALS_UNKNOWN:
		failed(r, a, key, valid,
		    valid ? "unknown user" : "no user name");
		return;
	case CREDENTIALS_ERROR:
		log_verdict(a, key, "later", "no usable credentials map");
		r->verdict = AUTH_LATER;
		request_answer(r, SPAN("no usable credentials map"));
		return;
	}
	penalty_good(a->remote, key, loop_wall());
	log_verdict(a, key, "ok", NULL);
	r->verdict = AUTH_OK;
	(void)span_copy(r->user, sizeof(r->user), acc.address);
	if (s->session == ROLE_COUNT)
		request_answer(r, SPAN_NONE);
	else
		session_ask(r, a, &acc, s->session, fd);
}

static const struct service *
service_find(struct span name, enum role from)
{
	for (size_t i = 0; i < nitems(services); i++)
		if (span_eq(services[i].name, name) &&
		    services[i].from == from)
			return &services[i];
	return NULL;
}

/* RFC 4616 2: acting for somebody else is not offered. */
static bool
authzid_ok(const struct ipc_auth *a)
{
	return a->authzid.n == 0 || span_ieq(a->authzid, a->authcid);
}

int
request_take(struct ipc *peer, struct ipc_msg *m, void *arg)
{
	const struct service *s;
	struct ipc_auth a;
	struct buf key;
	bool valid;

	(void)arg;
	if (m->type != IPC_AUTH || ipc_auth_decode(m->body, &a) == -1)
		return -1;
	s = service_find(a.service, ipc_peer(peer));
	if (s == NULL || (!m->lost &&
	    (m->fd[0] == -1) != (s->session == ROLE_COUNT))) {
		password_wipe(m->body);
		return -1;
	}
	if (m->lost || waiting >= AUTH_WAITING_MAX) {
		answer(peer, m->id, AUTH_LATER, SPAN_NONE,
		    SPAN("too many logins at once"));
		goto out;
	}
	buf_init(&key, AUTH_NAME_MAX);
	valid = credentials_key(self->conf, a.authcid, &key) == 0 &&
	    authzid_ok(&a);
	decide(request_new(peer, m->id), &a, s, buf_get(&key), valid,
	    m->fd[0]);
	buf_fini(&key);
out:
	password_wipe(m->body);
	return 0;
}

void
request_forget(const struct ipc *peer)
{
	for (struct request *r = all; r != NULL; r = r->next)
		if (r->peer == peer)
			r->peer = NULL;
}

void
request_finish_all(void)
{
	struct request *r;

	while (pending_take_any(&sessions) != NULL)
		;
	while ((r = all) != NULL) {
		if (!loop_timer_is_set(&r->timer))
			r->verdict = AUTH_LATER; /* master did not answer */
		request_answer(r, SPAN_NONE);
	}
}
