/*
 * trip: states
 *
 *	begin --idle session--> session
 *	  |                        |  done: the job ends; recipients that were
 *	  v                        |  put off take another turn
 *	route --target--> session -+ failed: next target, or the same in plain
 *	  |      |  ^                text, or (an idle one) all from the begin
 *	  |      v  |
 *	  |     waits for a seat, or for an idle session
 *	  +--no target left--> every recipient gets the last reason; or, if a
 *	                       host was crowded, goes back to queue untried
 *
 * While one waits, all seats are taken: each connection that ends wakes as
 * many as there are seats then.
 */
#include "relay/trip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "relay/ask.h"
#include "relay/crowd.h"
#include "relay/dead.h"
#include "relay/route.h"
#include "relay/session.h"

TAILQ_HEAD(trip_list, trip);

static struct trip_list waiting = TAILQ_HEAD_INITIALIZER(waiting);

static void trip_start(struct trip *);

/* --- ends -------------------------------------------------------------- */

static void
trip_free(struct trip *t)
{
	struct job *j = t->job;

	if (t->waits)
		TAILQ_REMOVE(&waiting, t, link);
	ask_forget(&t->question);
	route_free(t->route);
	free(t);
	job_free(j);
}

/* Nobody can be asked any more. */
static void
trip_give_up(struct trip *t, const struct verdict *v, struct span host)
{
	job_result_all(t->job, RCPT_WAITS, v, host);
	trip_free(t);
}

/*
 * All targets are used up. A reason that came from one of them says more
 * than one that came from DNS, unless that closes the matter.
 */
static void
trip_end(struct trip *t)
{
	const struct verdict *why = route_why(t->route);
	struct verdict v;

	if (t->crowded) {
		verdict_set(&v, 451, "4.4.5", false,
		    "a host of this domain has enough connections of ours");
		v.crowded = true;
		trip_give_up(t, &v, SPAN_NONE);
		return;
	}
	if (t->last.code != 0) {
		v = t->last;
		trip_give_up(t, &v, span_str(v.theirs ? t->last_host : ""));
		return;
	}
	if (why->code != 0)
		v = *why;
	else
		verdict_set(&v, 451, "4.4.1", true,
		    "there is no host to go to");
	trip_give_up(t, &v, SPAN_NONE);
}

/* --- targets ----------------------------------------------------------- */

static void
on_socket(void *arg, int fd, struct span why)
{
	struct trip *t = arg;
	struct verdict v;

	t->question = NULL;
	if (fd != -1) {
		session_open_fd(t, route_target(t->route), fd);
		return;
	}
	verdict_set(&v, 451, "4.4.1", true, "%.*s", (int)why.n, why.p);
	trip_failed(t, TRIP_NEXT, &v);
}

/* No seat: it waits; an idle connection gives up its own. */
static bool
must_wait(struct trip *t)
{
	if (relay.sessions < relay.conf->relay_connections)
		return false;
	TAILQ_INSERT_TAIL(&waiting, t, link);
	t->waits = true;
	session_idle_drop();
	return true;
}

/*
 * Another target that is as good may do. If none does, queue keeps the job for
 * a while: here it would take the room of others.
 */
static void
crowded(struct trip *t)
{
	t->crowded = true;
	session_idle_drop_at(route_target(t->route));
	route_no_worse(t->route);
	route_next(t->route);
}

static void
call(struct trip *t)
{
	const struct target *to = route_target(t->route);
	struct verdict v;

	if (t->job->transport == JOB_MX && crowd_is_full(to)) {
		crowded(t);
		return;
	}
	if (must_wait(t))
		return;
	if (to->ss.ss_family != AF_UNIX) {
		session_open(t, to, t->plain);
		return;
	}
	t->question = ask_connect(to->name, on_socket, t);
	if (t->question != NULL)
		return;
	verdict_set(&v, 451, "4.4.1", true, "%.200s cannot be asked for",
	    to->name);
	trip_failed(t, TRIP_NEXT, &v);
}

static void
on_route(void *arg, bool news)
{
	struct trip *t = arg;

	if (!news || loop_now() > t->until) {
		trip_end(t);
		return;
	}
	t->plain = false;
	call(t);
}

static void
log_failed(const struct trip *t, const struct verdict *v)
{
	const struct target *to = route_target(t->route);

	log_begin(LL_INFO, "attempt");
	log_str("qid", t->job->qid_text);
	log_str("host", to->text);
	log_num("code", (uint64_t)v->code);
	log_str("enhanced", v->enhanced);
	log_span("why", span_of(v->text, v->n));
	log_end();
}

void
trip_failed(struct trip *t, enum trip_again again, const struct verdict *v)
{
	t->session = NULL;
	if (t->job->queue == NULL) {
		trip_give_up(t, v, SPAN_NONE);
		return;
	}
	if (again == TRIP_FRESH) {
		t->fresh = true;
		trip_start(t);
		return;
	}
	log_failed(t, v);
	if (again == TRIP_PLAIN) {
		t->plain = true;
		call(t);
		return;
	}
	if (again == TRIP_LOOP) { /* what a better one said still counts */
		route_loop(t->route);
	} else {
		t->last = *v;
		memcpy(t->last_host, route_target(t->route)->text,
		    sizeof(t->last_host));
	}
	route_next(t->route);
}

void
trip_done(struct trip *t)
{
	struct verdict v;

	t->session = NULL;
	if (t->job->left == 0) {
		trip_free(t);
	} else if (t->job->queue == NULL) {
		verdict_set(&v, 451, "4.3.2", false, "nobody waits for it");
		trip_give_up(t, &v, SPAN_NONE);
	} else {
		trip_start(t);
	}
}

/* --- begin ------------------------------------------------------------- */

static void
key_set(struct trip *t)
{
	const struct job *j = t->job;

	if (j->host.n < HOST_MAX)
		(void)snprintf(t->key, sizeof(t->key), "%d:%u:%.*s",
		    (int)j->transport, j->port, SPAN_FMT(j->host));
}

static bool
goes_with_idle(struct trip *t)
{
	struct session *s = NULL;

	if (!t->fresh && t->key[0] != '\0')
		s = session_idle_take(t->key);
	if (s != NULL)
		session_send(s, t);
	return s != NULL;
}

static void
trip_start(struct trip *t)
{
	if (goes_with_idle(t))
		return;
	t->crowded = false;
	route_free(t->route);
	t->route = route_new(t->job, on_route, t);
	route_begin(t->route);
}

static void
trip_wake(struct trip *t)
{
	TAILQ_REMOVE(&waiting, t, link);
	t->waits = false;
	if (!goes_with_idle(t))
		call(t);
}

/* Not one: who is woken may end without a connection. */
void
trips_wake(void)
{
	struct trip *t;

	while ((t = TAILQ_FIRST(&waiting)) != NULL &&
	    relay.sessions < relay.conf->relay_connections)
		trip_wake(t);
}

void
trips_idle(struct session *s)
{
	struct trip *t;

	TAILQ_FOREACH(t, &waiting, link) {
		if (t->fresh || strcmp(t->key, s->key) != 0)
			continue;
		trip_wake(t);
		return;
	}
	if (!TAILQ_EMPTY(&waiting))
		session_quit(s);
}

void
trip_begin(struct job *j, bool lost)
{
	struct trip *t = xcalloc(1, sizeof(*t));
	struct verdict v;

	t->job = j;
	j->trip = t;
	t->until = loop_now() + RELAY_TRY_MS;
	key_set(t);
	if (lost) {
		verdict_set(&v, 451, "4.3.2", false,
		    "relay has no room for more files");
		trip_give_up(t, &v, SPAN_NONE);
		return;
	}
	trip_start(t);
}

void
trip_cancel(struct trip *t)
{
	struct verdict v;

	if (t->session != NULL && session_is_late(t->session))
		return;
	t->job->queue = NULL;
	if (t->session != NULL) {
		session_cancel(t->session);
		return; /* the end of the session is the end of the trip */
	}
	verdict_set(&v, 451, "4.3.2", false, "nobody waits for it");
	trip_give_up(t, &v, SPAN_NONE);
}
