/*
 * house: the coming and going of all processes together.
 *
 * The end has an order, so that nothing that was promised has nobody left to
 * keep it: first those who talk to the world (clients get 421, -ERR), then
 * auth, then queue, then deliver, which ends when queue has let it go.
 */
#include "master/house.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/listen.h"
#include "master/reload.h"
#include "master/stem.h"
#include "master/topology.h"
#include "master/watch.h"

enum {
	FIRST_TRIES = 5, /* of a child that never got ready, at start */
};

struct house house = { .ready_fd = -1 };

/* --- start ------------------------------------------------------------- */

void
house_start(void)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);
	unsigned number;

	for (size_t i = 0; i < n; i++) {
		number = topology_number(&row[i], house.now->conf);
		for (unsigned k = 0; k < number; k++)
			seat_fill(seat_new(row[i].role, k, number, house.now));
	}
	stems_start();
}

static bool
all_ready(void)
{
	for (struct seat *s = seats; s != NULL; s = s->next)
		if (s->child == NULL || !s->child->ready)
			return false;
	return true;
}

static void
house_up(void)
{
	house.state = HOUSE_UP;
	house.started = (long long)loop_wall();
	listen_publish(house.now->conf);
	watch_start();
	log_begin(LL_INFO, "start");
	log_str("version", POSTERN_VERSION);
	log_num("pid", (uint64_t)getpid());
	log_str("form", house.privileged ? "privileged" : "unprivileged");
	log_end();
	log_flush();
	if (house.ready_fd != -1 && write(house.ready_fd, "ok\n", 3) != 3)
		log_msg(LL_WARN, "start", "nobody waits for me");
	fd_close(&house.ready_fd);
}

void
house_child_ready(void)
{
	if (house.state == HOUSE_STARTING && all_ready())
		house_up();
	else if (house.state == HOUSE_UP)
		reload_child_ready();
}

/* --- stop -------------------------------------------------------------- */

static const struct phase {
	unsigned roles; /* bits */
	uint64_t ms;    /* then SIGKILL */
} phases[] = {
	{ 1u << ROLE_SMTPD | 1u << ROLE_LOGIN | 1u << ROLE_POP3D |
		1u << ROLE_IMAPD,
	    10 * 1000 },
	{ 1u << ROLE_AUTH, 10 * 1000 },
	{ 1u << ROLE_RELAY, 10 * 1000 }, /* its results still reach queue */
	{ 1u << ROLE_QUEUE, 20 * 1000 },
	{ ~0u, 10 * 1000 },
};

static size_t phase;

static bool
in_phase(const struct child *c, size_t i)
{
	return (phases[i].roles >> c->role & 1) != 0;
}

static bool
phase_is_over(size_t i)
{
	for (struct child *c = children; c != NULL; c = c->next)
		if (in_phase(c, i))
			return false;
	return true;
}

static void
phase_begin(size_t i)
{
	for (struct child *c = children; c != NULL; c = c->next)
		if (in_phase(c, i)) {
			child_stop(c, true);
			child_kill_after(c, phases[i].ms);
		}
}

static void
phases_go_on(void)
{
	while (phase < nitems(phases) && phase_is_over(phase)) {
		phase++;
		if (phase < nitems(phases))
			phase_begin(phase);
	}
	if (phase == nitems(phases))
		loop_stop();
}

void
house_stop(int status)
{
	struct seat *s, *next;

	if (house.state == HOUSE_STOPPING)
		return;
	log_msg(LL_INFO, "stop", "stopping");
	house.status = status;
	reload_cancel();
	house.state = HOUSE_STOPPING;
	for (s = seats; s != NULL; s = next) {
		next = s->next;
		seat_free(s);
	}
	phase = 0;
	phase_begin(0);
	phases_go_on();
}

/* --- a child is gone --------------------------------------------------- */

static void
give_up(const struct seat *s)
{
	log_begin(LL_ERROR, "start");
	log_str("role", role_name(s->role));
	log_str("why", "does not start; giving up");
	log_end();
	house_stop(EX_UNAVAILABLE);
}

void
house_child_gone(struct seat *s)
{
	if (house.state == HOUSE_STOPPING)
		phases_go_on();
	else if (s == NULL)
		return;
	else if (s->gen == house.next)
		reload_child_gone();
	else if (house.state == HOUSE_STARTING && s->failures >= FIRST_TRIES)
		give_up(s);
	else
		seat_again(s);
}
