/* loop: each test runs on the native way of waiting and on poll. */
#include "lib/loop.h"

#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/os_loop.h"
#include "lib/span.h"
#include "t/unit/tap.h"

enum { MANY = 100 };

static int fired[MANY], nfired;
static struct timer timers[MANY];

static void
on_timer(struct timer *t)
{
	fired[nfired++] = *(int *)t->arg;
}

static void
stop_timer(struct timer *t)
{
	(void)t;
	loop_stop();
}

/* One turn or more, until the timer stops it. */
static void
run_for(uint64_t ms)
{
	struct timer t = { .fn = stop_timer };

	loop_skip(ms);
	loop_timer(&t, 0);
	loop_run();
}

static void
timers_fire_in_order(void)
{
	static int name[MANY];
	bool sorted = true, kept = true;
	int i;

	nfired = 0;
	for (i = 0; i < MANY; i++) {
		name[i] = i * 37 % MANY * 10 + 60 * 1000;
		timers[i] = (struct timer){ .fn = on_timer, .arg = &name[i] };
		loop_timer(&timers[i], (uint64_t)name[i]);
	}
	for (i = 0; i < MANY; i += 2) /* moved away, moved back, or dropped */
		loop_timer(&timers[i], 1000 * 1000);
	for (i = 0; i < MANY; i += 4)
		loop_timer(&timers[i], (uint64_t)name[i]);
	for (i = 2; i < MANY; i += 4)
		loop_untimer(&timers[i]);
	run_for(30 * 1000); /* real time passes, too */
	ok(nfired == 0, "no timer is early");
	run_for(60 * 1000);
	for (i = 1; i < nfired; i++)
		sorted = sorted && fired[i - 1] < fired[i];
	for (i = 0; i < MANY; i++)
		kept = kept && !loop_timer_is_set(&timers[i]);
	ok(nfired == 3 * MANY / 4, "those that are set fire once each");
	ok(sorted, "in the order of their times");
	ok(kept, "and are not set any more");
}

static int turns;

static void
again_and_again(struct timer *t)
{
	if (++turns < 5)
		loop_timer(t, 0);
	else
		loop_stop();
}

static void
timer_of_zero(void)
{
	struct timer t = { .fn = again_and_again };

	turns = 0;
	loop_timer(&t, 0);
	loop_run();
	ok(turns == 5, "a timer may set itself");
}

static struct watch pair[2];
static int calls[2];

static void
count_only(struct watch *w, unsigned events)
{
	(void)events;
	calls[w == &pair[1]]++;
}

static void
drop_both(struct watch *w, unsigned events)
{
	count_only(w, events);
	loop_unwatch(&pair[0]);
	loop_unwatch(&pair[1]);
}

static void
pair_open(watch_fn *fn, unsigned events)
{
	int fd[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		die("socketpair");
	for (i = 0; i < 2; i++) {
		pair[i] =
		    (struct watch){ .fd = fd[i], .events = events, .fn = fn };
		calls[i] = 0;
		if (write(fd[i], "x", 1) != 1 || loop_watch(&pair[i]) == -1)
			die("pair");
	}
}

static void
watches_are_told(void)
{
	pair_open(count_only, LOOP_READ);
	run_for(0);
	ok(calls[0] > 0 && calls[1] > 0, "what can be read is told");
	loop_rewatch(&pair[0], 0);
	calls[0] = calls[1] = 0;
	run_for(0);
	ok(calls[0] == 0 && calls[1] > 0, "what asks for nothing gets nothing");
	loop_close(&pair[1]);
	calls[1] = 0;
	run_for(0);
	ok(calls[0] == 0 && pair[1].fd == -1, "not even a hangup");
	loop_rewatch(&pair[0], LOOP_WRITE);
	run_for(0);
	ok(calls[0] > 0, "a hangup comes to who asks for writing only");
	loop_close(&pair[0]);
	calls[0] = calls[1] = 0;
	run_for(0);
	ok(calls[0] + calls[1] == 0, "what was closed is forgotten");
}

static void
unwatch_is_at_once(void)
{
	pair_open(drop_both, LOOP_READ | LOOP_WRITE);
	run_for(0);
	ok(calls[0] + calls[1] == 1,
	    "an event already fetched does not come after unwatch");
	loop_close(&pair[0]);
	loop_close(&pair[1]);
}

static int signals_seen;

static void
on_signal(int signo)
{
	if (signo == SIGUSR1)
		signals_seen++;
	loop_stop();
}

static void
signals_run_in_the_loop(void)
{
	signals_seen = 0;
	loop_signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	raise(SIGUSR1);
	ok(signals_seen == 0, "no handler runs in signal context");
	loop_run();
	ok(signals_seen == 1, "but in the loop, once for several");
}

static int hooks[2];

static void
first_hook(void *arg)
{
	(void)arg;
	hooks[0]++;
}

static void
second_hook(void *arg)
{
	(void)arg;
	if (hooks[1]++ == 0)
		loop_again();
}

static void
hooks_each_turn(void)
{
	hooks[0] = hooks[1] = 0;
	loop_each_turn(first_hook, NULL);
	loop_each_turn(second_hook, NULL);
	run_for(0);
	ok(hooks[0] == 3 && hooks[1] == 3,
	    "at the start, once more when asked to, at the end of the turn");
}

int
main(void)
{
	const struct os_loop *os[] = { os_loop_native, &os_loop_poll };
	size_t i;

	for (i = 0; i < nitems(os); i++) {
		printf("# %s\n", os[i]->name);
		loop_init_with(os[i]);
		timers_fire_in_order();
		timer_of_zero();
		watches_are_told();
		unwatch_is_at_once();
		signals_run_in_the_loop();
		hooks_each_turn();
		loop_fini();
	}
	return done();
}
