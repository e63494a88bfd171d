/*
 * child: the list of processes, their channels, their end, and the seats.
 *
 * - a child is in the list from fork(2) until waitpid(2) has seen it
 * - its channel may go before it (malformed message): then it gets a few
 *   seconds to follow
 */
#include "master/child.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "lib/span.h"
#include "master/connect.h"
#include "master/house.h"
#include "master/journal.h"
#include "master/spawn.h"
#include "master/stem.h"
#include "master/topology.h"
#include "master/watch.h"
#include "master/worker.h"

enum {
	READY_MS = 60 * 1000, /* from fork to READY */
	REJOIN_MS = 1000,     /* from a lost channel to a new one */
	FOLLOW_MS = 10 * 1000, /* from a lost channel to SIGKILL */
	AGAIN_MS = 100,       /* first wait before a seat is filled again */
	AGAIN_MAX_MS = 30 * 1000,
	EARLY_MAX = 64,
	STEADY_MS = 60 * 1000, /* who lived so long has not failed in a row */
};

struct child *children;
struct seat *seats;

/* pid 0 would be all of us. Who is not born yet gets it then. */
static void
child_kill(struct child *c, int signo)
{
	if (c->pid == 0) {
		c->birth.signal = signo;
		return;
	}
	assert(c->pid > 1);
	kill(c->pid, signo);
}

static void
log_child(enum log_level level, const char *event, const struct child *c)
{
	log_begin(level, event);
	log_str("role", role_name(c->role));
	log_num("pid", (uint64_t)c->pid);
	if (c->login != NULL)
		log_span("user", span_str(c->login));
}

static void
on_deadline(struct timer *t)
{
	struct child *c = t->arg;

	log_child(LL_WARN, "kill", c);
	log_str("why",
	    c->ready || c->stopping ? "does not end" : "does not get ready");
	log_end();
	if (c->birth.stem != NULL) /* it hangs */
		child_kill(c->birth.stem, SIGKILL);
	child_kill(c, SIGKILL);
}

void
child_kill_after(struct child *c, uint64_t ms)
{
	c->deadline.fn = on_deadline;
	c->deadline.arg = c;
	loop_timer(&c->deadline, ms);
}

static void
on_rejoin(struct timer *t)
{
	struct child *c = t->arg;

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if ((c->lost >> role & 1) != 0)
			spawn_peers_again(c, (enum role)role, c->lost_at);
	c->lost = 0;
}

/*
 * If the peer is dead or dying, its successor gets a channel when it starts.
 * If it still lives after a while, only the channel was lost. Not more than
 * one a while: neither of the two is to be kept busy with it.
 */
static int
on_peer_lost(struct child *c, struct ipc_msg *m)
{
	struct ipc_peer in;

	if (ipc_peer_decode(m->body, &in) == -1 ||
	    !topology_are_peers(c->role, (enum role)in.role))
		return -1;
	c->lost |= 1u << in.role;
	c->lost_at = loop_now();
	c->rejoin.fn = on_rejoin;
	c->rejoin.arg = c;
	if (!loop_timer_is_set(&c->rejoin))
		loop_timer(&c->rejoin, REJOIN_MS);
	return 0;
}

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct child *c = arg;

	(void)ipc;
	switch (m->type) {
	case IPC_READY:
		if (c->ready)
			return -1;
		c->ready = true;
		c->flawed = m->id == READY_FLAWED;
		if (!c->stopping)
			loop_untimer(&c->deadline);
		journal_child_tell(c);
		house_child_ready();
		return 0;
	case IPC_WORKER:
		return worker_asked(c, m);
	case IPC_SESSION:
		return session_asked(c, m);
	case IPC_FORK_IS:
		return c->stem ? stem_forked(c, m) : -1;
	case IPC_CONNECT:
		return connect_asked(c, m);
	case IPC_PONG:
		return watch_answered(c);
	case IPC_PEER_LOST:
		return on_peer_lost(c, m);
	default:
		return -1;
	}
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct child *c = arg;

	ipc_free(ipc);
	c->ipc = NULL;
	/* A session's process ends its channel only by ending itself. */
	child_kill_after(c, FOLLOW_MS);
}

struct child *
child_new(enum role role, pid_t pid, int fd)
{
	struct child *c = xcalloc(1, sizeof(*c));
	static uint64_t last;

	c->serial = ++last;
	c->role = role;
	c->pid = pid;
	c->since = loop_now();
	c->since_wall = loop_wall();
	c->ipc = ipc_new(fd, ROLE_MASTER, role, on_message, on_gone, c);
	c->next = children;
	children = c;
	child_kill_after(c, READY_MS);
	return c;
}

static void
child_unlink(struct child *c)
{
	struct child **at = &children;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->pid = -1; /* the number may be somebody else's by now */
}

static void
child_free(struct child *c)
{
	loop_untimer(&c->deadline);
	loop_untimer(&c->rejoin);
	if (c->ipc != NULL)
		ipc_free(c->ipc);
	free(c->user);
	free(c->root);
	free(c->login);
	free(c->client);
	free(c->sid);
	free(c);
}

void
child_send(struct child *c, enum ipc_type type, uint32_t id,
    const struct buf *b, int fd0, int fd1)
{
	struct span body = b == NULL ? SPAN_NONE : buf_get(b);

	if (c->ipc == NULL)
		return;
	if ((b == NULL || !b->bad) &&
	    ipc_send(c->ipc, type, id, body, fd0, fd1) == 0)
		return;
	log_child(LL_WARN, "kill", c);
	log_str("why", "does not take messages");
	log_end();
	child_kill(c, SIGKILL);
}

void
child_stop(struct child *c, bool now)
{
	c->stopping = true;
	if ((c->role == ROLE_POP3D || c->role == ROLE_IMAPD) && !c->stem) {
		/* It reads its client, not us; until READY it is mute. */
		child_kill(c, SIGTERM);
		return;
	}
	if (c->role == ROLE_DELIVER)
		return; /* ends when the queue closes its channel */
	child_send(c, IPC_STOP, now ? STOP_NOW : STOP_DRAIN, NULL, -1, -1);
}

/* --- the end ----------------------------------------------------------- */

static void
log_end_of(const struct child *c, int status)
{
	bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	/* Workers and sessions come and go: no line unless something is wrong */
	if (fine && c->seat == NULL)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		log_child(LL_ERROR, "exit", c);
		log_str("why", "sandbox: asked for a forbidden system call");
	} else {
		log_child(fine || c->stopping ? LL_INFO : LL_WARN, "exit", c);
	}
	if (WIFEXITED(status))
		log_num("status", (uint64_t)WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		log_num("signal", (uint64_t)WTERMSIG(status));
	log_num("seconds", (loop_now() - c->since) / 1000);
	log_end();
}

static void
child_ended(struct child *c, int status)
{
	struct seat *s = c->seat;

	log_end_of(c, status);
	child_unlink(c);
	if (c->stem)
		stem_ended(c);
	else
		stem_session_ended(c, status);
	if (s != NULL) {
		s->child = NULL;
		if (c->ready && loop_now() - c->since >= STEADY_MS)
			s->failures = 0;
		else
			s->failures++;
	}
	house_child_gone(s); /* fills the seat again, or does not */
	child_free(c);
}

void
child_forget(struct child *c)
{
	child_unlink(c);
	house_child_gone(NULL);
	child_free(c);
}

/* Those who died before their stem could tell us who they are. */
static struct {
	struct {
		pid_t pid;
		int status;
	} at[EARLY_MAX];
	size_t n;
} early;

static bool
somebody_is_unborn(void)
{
	for (struct child *c = children; c != NULL; c = c->next)
		if (c->pid == 0)
			return true;
	return false;
}

/* True: it has died before we knew it; c is gone. */
static bool
died_early(struct child *c)
{
	for (size_t i = 0; i < early.n; i++)
		if (early.at[i].pid == c->pid) {
			early.at[i].pid = 0;
			child_ended(c, early.at[i].status);
			return true;
		}
	return false;
}

void
child_born(struct child *c, pid_t pid)
{
	c->pid = pid;
	/* First: the number of one that was reaped may be another's by now. */
	if (!died_early(c)) {
		if (c->birth.signal != 0)
			child_kill(c, c->birth.signal);
		journal_child_tell(c);
	}
	if (!somebody_is_unborn())
		early.n = 0;
}

void
child_reap(int signo)
{
	struct child *c;
	int status;
	pid_t pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (c = children; c != NULL && c->pid != pid; c = c->next)
			;
		if (c != NULL) {
			child_ended(c, status);
		} else if (early.n < EARLY_MAX && somebody_is_unborn()) {
			early.at[early.n].pid = pid;
			early.at[early.n++].status = status;
		}
	}
}

unsigned
children_count(enum role role, const char *login)
{
	unsigned n = 0;

	for (struct child *c = children; c != NULL; c = c->next)
		if (c->role == role && !c->stem &&
		    (login == NULL ||
			(c->login != NULL && strcmp(c->login, login) == 0)))
			n++;
	return n;
}

/* --- seats ------------------------------------------------------------- */

struct seat *
seat_new(enum role role, unsigned index, unsigned count, struct generation *gen)
{
	struct seat *s = xcalloc(1, sizeof(*s)), **at = &seats;

	s->role = role;
	s->index = index;
	s->count = count;
	s->gen = gen;
	while (*at != NULL) /* in the order they were made */
		at = &(*at)->next;
	*at = s;
	return s;
}

void
seat_free(struct seat *s)
{
	struct seat **at = &seats;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	loop_untimer(&s->again);
	if (s->child != NULL)
		s->child->seat = NULL;
	free(s);
}

static void
on_again(struct timer *t)
{
	seat_fill(t->arg);
}

void
seat_again(struct seat *s)
{
	uint64_t ms = AGAIN_MS;

	for (unsigned i = 1; i < s->failures && ms < AGAIN_MAX_MS; i++)
		ms *= 2;
	if (ms > AGAIN_MAX_MS)
		ms = AGAIN_MAX_MS;
	log_begin(LL_WARN, "restart");
	log_str("role", role_name(s->role));
	log_num("failures", s->failures);
	log_num("next", (ms + 999) / 1000);
	log_end();
	s->again.fn = on_again;
	s->again.arg = s;
	loop_timer(&s->again, ms);
}

void
seat_fill(struct seat *s)
{
	s->child = s->stem ? spawn_stem(s) : spawn_seat(s);
	if (s->child == NULL) {
		s->failures++;
		seat_again(s);
	}
}
