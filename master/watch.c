/*
 * watch: what counts is not time but rounds, WATCH_ROUNDS in process-timeout:
 * each begins when our own loop has come round again. So a clock that jumps,
 * a host that sleeps, or a master that was stopped count for one round.
 *
 * - who is stopped by a signal does not hang: it is told of, and left alone.
 *   What a debugger holds looks like one that hangs
 * - if most are silent, it is the host that hangs: nobody is killed,
 *   and the round does not count
 * - blocking roles and stems are not asked: they listen to one client, or
 *   wait for a disk. Sessions have their own time-outs, deliver has queue's
 */
#include "master/watch.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"

enum {
	WATCH_ROUNDS = 5,
	WATCH_OFF_MS = 60 * 1000, /* until we look whether it is off still */
};

static struct timer round_timer;

static bool
is_watched(const struct child *c)
{
	return c->ready && c->ipc != NULL && !c->stem && c->pid > 1 &&
	    ipc_allowed(ROLE_MASTER, c->role, IPC_PING);
}

static bool
is_stopped(const struct child *c)
{
	siginfo_t is;

	memset(&is, 0, sizeof(is));
	return waitid(P_PID, (id_t)c->pid, &is,
		   WSTOPPED | WNOHANG | WNOWAIT) == 0 && is.si_pid == c->pid;
}

int
watch_answered(struct child *c)
{
	if (!c->asked)
		return -1;
	c->asked = c->told = false;
	c->silent = 0;
	return 0;
}

static void
log_silent(const struct child *c, const char *event, const char *why)
{
	log_begin(LL_WARN, event);
	log_str("role", role_name(c->role));
	log_num("pid", (uint64_t)c->pid);
	log_str("why", why);
	log_end();
}

/* Of those that can answer, half or more have done so. */
static bool
host_is_well(void)
{
	static bool was = true;
	size_t all = 0, silent = 0;
	bool is;

	for (struct child *c = children; c != NULL; c = c->next) {
		if (!is_watched(c) || (c->asked && is_stopped(c)))
			continue;
		all++;
		silent += c->asked;
	}
	is = 2 * silent <= all;
	if (was && !is)
		log_msg(LL_WARN, "silent", "most processes do not answer; "
		    "is the host out of memory?");
	was = is;
	return is;
}

static void
ask(struct child *c)
{
	c->asked = true;
	child_send(c, IPC_PING, 0, NULL, -1, -1);
}

static void
stopped(struct child *c)
{
	if (!c->told)
		log_silent(c, "silent", "stopped by a signal");
	c->told = true;
}

static void
hangs(struct child *c)
{
	log_silent(c, "kill", "does not answer");
	kill(c->pid, SIGKILL);
}

static void
on_round(struct timer *t)
{
	uint64_t patience = house.now->conf->process_timeout;
	bool well = host_is_well();

	loop_timer(t, patience == 0 ? WATCH_OFF_MS :
				      patience * 1000 / WATCH_ROUNDS);
	if (house.state != HOUSE_UP || patience == 0)
		return;
	for (struct child *c = children; c != NULL; c = c->next) {
		if (!is_watched(c))
			continue;
		if (!c->asked)
			ask(c);
		else if (is_stopped(c))
			stopped(c);
		else if (well && ++c->silent >= WATCH_ROUNDS)
			hangs(c);
	}
}

void
watch_start(void)
{
	round_timer.fn = on_round;
	on_round(&round_timer);
}
