/*
 * reload: states of the attempt
 *
 *	idle --reload_begin--> probation --all new seats ready--> commit
 *	                          |
 *	                          +--one of them dies--> abort
 *
 * Probation holds house.next, its seats, and the listeners marked next. Who
 * asks meanwhile waits: what he wants to be read may have changed since. One
 * attempt serves all who waited for it.
 */
#include "master/reload.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/journal.h"
#include "master/listen.h"
#include "master/maps.h"
#include "master/place.h"
#include "master/spawn.h"
#include "master/stem.h"
#include "master/topology.h"

enum {
	REASONS_MAX = 64 * 1024,
	DRAINING_MAX = 64, /* processes; the oldest beyond are ended */
	AGAIN_MS = 200,
	ASKERS_MAX = 32, /* as many as ctl.c has clients */
};

struct askers {
	struct {
		reload_done_fn *fn;
		void *arg;
	} at[ASKERS_MAX];
	size_t n;
};

static struct {
	struct askers now, next;     /* of this attempt, of the one after it */
	struct file_stamp cert, key; /* last tried */
	struct timer again;          /* for those of the next */
} reload;

/* A line in the log for each line of text. */
static void
log_reasons(bool ok, const char *text)
{
	struct span rest = span_str(text);

	do {
		log_begin(ok ? LL_INFO : LL_ERROR, "reload");
		log_num("generation", house.now->number);
		log_span("why", span_line(&rest));
		log_end();
	} while (rest.n > 0);
}

static void
tell(struct askers *a, bool ok, const char *text)
{
	struct askers all = *a;

	a->n = 0;
	for (size_t i = 0; i < all.n; i++)
		all.at[i].fn(all.at[i].arg, ok, text);
}

static void
done(bool ok, const char *text)
{
	log_reasons(ok, text);
	tell(&reload.now, ok, text);
}

/* --- the attempt ------------------------------------------------------- */

static bool
text_same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* What daemons that stay are built upon cannot change under them. */
static int
conf_may_follow(const struct conf *new, struct buf *err)
{
	const struct conf *old = house.now->conf;
	const struct {
		const char *key, *a, *b;
	} fixed[] = {
		{ "spool-dir", old->spool_dir, new->spool_dir },
		{ "run-dir", old->run_dir, new->run_dir },
		{ "user-auth", old->user_auth, new->user_auth },
		{ "user-dns", old->user_dns, new->user_dns },
		{ "user-queue", old->user_queue, new->user_queue },
	};
	int rc = 0;

	for (size_t i = 0; i < nitems(fixed); i++)
		if (!text_same(fixed[i].a, fixed[i].b)) {
			buf_fmt(err,
			    "%s: cannot change while running; stop "
			    "and start\n",
			    fixed[i].key);
			rc = -1;
		}
	if ((conf_syslog(old) == NULL) != (conf_syslog(new) == NULL)) {
		buf_fmt(err,
		    "log: cannot change to or from syslog while "
		    "running; stop and start\n");
		rc = -1;
	}
	return rc;
}

/* Seats for all renewed roles, marked by gen. */
static void
seats_make(struct generation *gen)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);
	unsigned number;

	for (size_t i = 0; i < n; i++) {
		number = topology_number(&row[i], gen->conf);
		for (unsigned k = 0; row[i].renewed && k < number; k++)
			seat_fill(seat_new(row[i].role, k, number, gen));
	}
}

/* Takes gen. */
static void
probation_begin(struct generation *gen)
{
	reload.cert = gen->cert_stamp;
	reload.key = gen->key_stamp;
	house.next = gen;
	seats_make(gen);
	reload_child_ready(); /* there may be no front at all */
}

static void
attempt(void)
{
	struct generation *gen = NULL;
	struct conf *conf;
	struct buf err;

	reload.now = reload.next;
	reload.next.n = 0;
	journal_follow(); /* first, so that reasons stand in the new file */
	buf_init(&err, REASONS_MAX);
	conf = conf_read(house.conf_path, &err);
	if (conf != NULL && conf_may_follow(conf, &err) == -1) {
		conf_free(conf);
		conf = NULL;
	}
	if (conf != NULL)
		gen = generation_new(conf, house.privileged, &err);
	if (gen != NULL &&
	    (place_dirs(gen, &err) == -1 ||
		listen_plan(gen->conf, &err) == -1)) {
		generation_free(gen);
		gen = NULL;
	}
	if (gen != NULL)
		probation_begin(gen);
	else
		done(false, err.n > 0 ? buf_cstr(&err) : "no reason given\n");
	buf_fini(&err);
}

static void
on_again(struct timer *t)
{
	loop_untimer(t);
	if (house.state == HOUSE_UP && house.next == NULL)
		attempt();
	else if (house.state != HOUSE_STOPPING)
		loop_timer(t, AGAIN_MS);
}

void
reload_begin(reload_done_fn *fn, void *arg)
{
	struct askers *a = &reload.next;

	if (house.state == HOUSE_STOPPING) {
		if (fn != NULL)
			fn(arg, false, "not now: the house stops\n");
		return;
	}
	if (fn != NULL) {
		assert(a->n < ASKERS_MAX);
		a->at[a->n].fn = fn;
		a->at[a->n++].arg = arg;
	}
	reload.again.fn = on_again;
	on_again(&reload.again);
}

/* --- failure ----------------------------------------------------------- */

static void
cancel(const char *why)
{
	struct seat *s, *next;

	for (s = seats; s != NULL; s = next) {
		next = s->next;
		if (s->gen != house.next)
			continue;
		if (s->child != NULL) {
			s->child->stopping = true;
			kill(s->child->pid, SIGKILL);
		}
		seat_free(s);
	}
	listen_forget();
	generation_free(house.next);
	house.next = NULL;
	done(false, why);
}

void
reload_cancel(void)
{
	loop_untimer(&reload.again);
	if (house.next != NULL)
		cancel("the house stops\n");
	tell(&reload.next, false, "not now: the house stops\n");
}

void
reload_child_gone(void)
{
	cancel("a new process did not get ready, see the log; the old ones "
	       "go on\n");
}

/* --- success ----------------------------------------------------------- */

static void
drain(struct seat *s)
{
	if (s->child != NULL)
		child_stop(s->child, false);
	seat_free(s);
}

/* They must not pile up for ever. The list begins with the youngest. */
static void
draining_bound(void)
{
	unsigned n = 0;

	for (struct child *c = children; c != NULL; c = c->next)
		if (c->stopping && topology_row(c->role)->renewed &&
		    ++n > DRAINING_MAX)
			child_stop(c, true);
}

static void
seats_follow(struct generation *old)
{
	struct seat *s, *next;

	for (s = seats; s != NULL; s = next) {
		next = s->next;
		if (s->gen != old)
			continue;
		if (topology_row(s->role)->renewed) {
			drain(s);
			continue;
		}
		s->gen = house.now;
		if (s->stem)
			stem_renew(s);
		if (s->child == NULL || s->stem)
			continue;
		s->child->generation = house.now->number;
		child_send(
		    s->child, IPC_CONFIG, 0, NULL, house.now->conf_fd, -1);
	}
}

static void
commit(void)
{
	struct generation *old = house.now;

	house.now = house.next;
	house.next = NULL;
	listen_commit();
	journal_follow();
	seats_follow(old);
	generation_free(old);
	draining_bound();
	maps_look();
	listen_publish(house.now->conf);
	done(true, "reloaded\n");
}

void
reload_child_ready(void)
{
	if (house.next == NULL)
		return;
	for (struct seat *s = seats; s != NULL; s = s->next)
		if (s->gen == house.next && s->child != NULL &&
		    s->child->flawed) {
			cancel("a certificate or tls-ca-file cannot be used, "
			       "see the log; the old configuration stays\n");
			return;
		}
	for (struct seat *s = seats; s != NULL; s = s->next)
		if (s->gen == house.next &&
		    (s->child == NULL || !s->child->ready))
			return;
	commit();
}

/* --- certificates ------------------------------------------------------ */

void
reload_look_at_certificate(void)
{
	const struct conf *c = house.now->conf;
	struct file_stamp cert, key;
	struct generation *gen;
	struct buf err;

	if (house.state != HOUSE_UP || house.next != NULL ||
	    c->tls_certificate[0] == '\0')
		return;
	file_stamp_get(c->tls_certificate, &cert);
	file_stamp_get(
	    c->tls_key[0] == '\0' ? c->tls_certificate : c->tls_key, &key);
	if (file_stamp_eq(&cert, &house.now->cert_stamp) &&
	    file_stamp_eq(&key, &house.now->key_stamp))
		return;
	if (file_stamp_eq(&cert, &reload.cert) &&
	    file_stamp_eq(&key, &reload.key))
		return; /* tried; said so */
	reload.cert = cert;
	reload.key = key;
	buf_init(&err, REASONS_MAX);
	gen = generation_again(house.now, &err);
	if (gen != NULL && listen_plan(gen->conf, &err) == -1) {
		generation_free(gen);
		gen = NULL;
	}
	if (gen != NULL)
		probation_begin(gen);
	else
		done(false, err.n > 0 ? buf_cstr(&err) : "no reason given\n");
	buf_fini(&err);
}
