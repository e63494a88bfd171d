/*
 * loop: a turn is: wait, read the clock, run the callbacks of what is ready,
 * then the timers that are due, then the end-of-turn functions, then the
 * log. Timers are a binary heap in memory; they cost no system calls.
 *
 * Invariants: heap[t->slot - 1] == t for each timer that is set. ready[]
 * never names a watch that was unwatched: loop_unwatch() strikes it out.
 */
#include "lib/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/os_loop.h"

enum {
	READY_MAX = 64,             /* events taken in one turn */
	EACH_MAX = 8,               /* end-of-turn functions */
	ROUNDS_MAX = 16,            /* of these functions in one turn */
	SLEEP_MAX = 60 * 60 * 1000, /* ms; an int holds it */
	SLEEP_LOG = 100,            /* while lines wait for their reader */
	SIGNALS = 65,
};

static struct {
	const struct os_loop *os;
	bool running, again;
	uint64_t now, skipped; /* ms; 0: not read in this turn */
	int64_t wall;
	struct os_ready ready[READY_MAX];
	int nready;
	struct timer **heap;
	uint32_t nheap, room;
	struct {
		void (*fn)(void *);
		void *arg;
	} each[EACH_MAX];
	size_t neach;
	struct watch signals; /* the reading end of the pipe */
	int signal_fd;        /* the writing end */
	void (*on_signal[SIGNALS])(int);
} l = { .signals.fd = -1, .signal_fd = -1 };

/* Since the last turn; set in signal context. */
static volatile sig_atomic_t signalled[SIGNALS];

void
loop_init_with(const struct os_loop *os)
{
	assert(l.os == NULL);
	if (os->open() == -1)
		die("%s", os->name);
	l.os = os;
	signal(SIGPIPE, SIG_IGN);
}

void
loop_init(void)
{
	loop_init_with(os_loop_native);
}

void
loop_fini(void)
{
	int i;

	for (i = 0; i < SIGNALS; i++)
		if (l.on_signal[i] != NULL)
			signal(i, SIG_DFL);
	if (l.os != NULL)
		l.os->close();
	fd_close(&l.signals.fd);
	fd_close(&l.signal_fd);
	free(l.heap);
	memset(&l, 0, sizeof(l));
	l.signals.fd = l.signal_fd = -1;
}

/* The clock */

static void
clock_read(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	l.now = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 +
	    l.skipped;
	clock_gettime(CLOCK_REALTIME, &ts);
	l.wall = ts.tv_sec;
}

uint64_t
loop_now(void)
{
	if (l.now == 0)
		clock_read();
	return l.now;
}

int64_t
loop_wall(void)
{
	if (l.now == 0)
		clock_read();
	return l.wall;
}

void
loop_skip(uint64_t ms)
{
	l.skipped += ms;
	clock_read();
}

/* Watches */

int
loop_watch(struct watch *w)
{
	unsigned events = w->events;

	w->events = 0;
	if (events != 0 && l.os->set(w, events) == -1)
		return -1;
	w->events = events;
	return 0;
}

void
loop_rewatch(struct watch *w, unsigned events)
{
	if (w->events == events)
		return;
	if (l.os->set(w, events) == -1)
		die("%s: descriptor %d", l.os->name, w->fd);
	w->events = events;
}

static void
strike_out(const struct watch *w)
{
	int i;

	for (i = 0; i < l.nready; i++)
		if (l.ready[i].watch == w)
			l.ready[i].watch = NULL;
}

void
loop_unwatch(struct watch *w)
{
	loop_rewatch(w, 0);
	strike_out(w);
}

void
loop_close(struct watch *w)
{
	if (w->fd == -1)
		return;
	if (w->events != 0)
		l.os->forget(w);
	w->events = 0;
	strike_out(w);
	fd_close(&w->fd);
}

/* Timers */

static void
heap_put(uint32_t i, struct timer *t)
{
	l.heap[i] = t;
	t->slot = i + 1;
}

static void
heap_up(uint32_t i, struct timer *t)
{
	uint32_t parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (l.heap[parent]->at <= t->at)
			break;
		heap_put(i, l.heap[parent]);
	}
	heap_put(i, t);
}

static void
heap_down(uint32_t i, struct timer *t)
{
	uint32_t child;

	while ((child = 2 * i + 1) < l.nheap) {
		if (child + 1 < l.nheap &&
		    l.heap[child + 1]->at < l.heap[child]->at)
			child++;
		if (t->at <= l.heap[child]->at)
			break;
		heap_put(i, l.heap[child]);
		i = child;
	}
	heap_put(i, t);
}

static void
heap_move(uint32_t i, struct timer *t)
{
	if (i > 0 && l.heap[(i - 1) / 2]->at > t->at)
		heap_up(i, t);
	else
		heap_down(i, t);
}

void
loop_timer(struct timer *t, uint64_t ms)
{
	uint64_t at = loop_now() + ms;

	t->at = at < ms ? UINT64_MAX : at;
	if (t->slot == 0) {
		if (l.nheap == l.room) {
			l.room = l.room == 0 ? 16 : 2 * l.room;
			l.heap = xreallocarray(
			    l.heap, l.room, sizeof(struct timer *));
		}
		heap_put(l.nheap++, t);
	}
	heap_move(t->slot - 1, t);
}

void
loop_untimer(struct timer *t)
{
	uint32_t i = t->slot - 1;
	struct timer *last;

	if (t->slot == 0)
		return;
	assert(l.heap[i] == t);
	t->slot = 0;
	last = l.heap[--l.nheap];
	if (last != t)
		heap_move(i, last);
}

bool
loop_timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

/*
 * At most as many as were set at the start: timers of 0 ms that set each
 * other cannot keep the descriptors waiting.
 */
static void
run_timers(void)
{
	uint64_t due = loop_now();
	uint32_t most = l.nheap;
	struct timer *t;

	while (l.running && most-- > 0 && l.nheap > 0 && l.heap[0]->at <= due) {
		t = l.heap[0];
		loop_untimer(t);
		t->fn(t);
	}
}

/* How long the next wait may be; -1: until something happens. */
static int
sleep_ms(void)
{
	uint64_t now = loop_now(), most = log_waits() ? SLEEP_LOG : SLEEP_MAX;

	if (l.again)
		return 0;
	if (l.nheap == 0)
		return log_waits() ? SLEEP_LOG : -1;
	if (l.heap[0]->at <= now)
		return 0;
	if (l.heap[0]->at - now > most)
		return (int)most;
	return (int)(l.heap[0]->at - now);
}

/* Signals */

static void
caught(int signo)
{
	int saved = errno;

	signalled[signo] = 1;
	if (write(l.signal_fd, "", 1) == -1)
		errno = saved; /* a full pipe wakes the loop as well */
	errno = saved;
}

static void
signals_ready(struct watch *w, unsigned events)
{
	char drop[64];
	int i;

	(void)events;
	if (read(w->fd, drop, sizeof(drop)) == -1 && errno != EAGAIN)
		die("signal pipe");
	for (i = 1; i < SIGNALS; i++) {
		if (!signalled[i])
			continue;
		signalled[i] = 0;
		l.on_signal[i](i);
	}
}

static void
signals_open(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1)
		die("pipe");
	l.signal_fd = fd[1];
	l.signals = (struct watch){
		.fd = fd[0], .events = LOOP_READ, .fn = signals_ready
	};
	if (loop_watch(&l.signals) == -1)
		die("%s: signal pipe", l.os->name);
}

void
loop_signal(int signo, void (*fn)(int signo))
{
	struct sigaction sa = { .sa_flags = SA_RESTART };

	assert(signo > 0 && signo < SIGNALS);
	if (l.signals.fd == -1)
		signals_open();
	l.on_signal[signo] = fn;
	sa.sa_handler = caught;
	sigfillset(&sa.sa_mask);
	if (sigaction(signo, &sa, NULL) == -1)
		die("sigaction");
}

/* Turns */

void
loop_each_turn(void (*fn)(void *arg), void *arg)
{
	assert(l.neach < EACH_MAX);
	l.each[l.neach].fn = fn;
	l.each[l.neach++].arg = arg;
}

void
loop_again(void)
{
	l.again = true;
}

static void
end_turn(void)
{
	unsigned rounds;
	size_t i;

	for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
		l.again = false;
		for (i = 0; i < l.neach; i++)
			l.each[i].fn(l.each[i].arg);
		if (!l.again)
			break;
	}
	log_flush();
}

static void
run_ready(void)
{
	struct os_ready *r;
	unsigned events;
	int i;

	for (i = 0; i < l.nready; i++) {
		r = &l.ready[i];
		if (r->watch == NULL)
			continue;
		events = r->events & r->watch->events;
		if (events != 0)
			r->watch->fn(r->watch, events);
	}
	l.nready = 0;
}

void
loop_stop(void)
{
	l.running = false;
}

void
loop_run(void)
{
	l.running = true;
	l.now = 0;
	end_turn(); /* what was written before the first turn */
	while (l.running) {
		l.nready = l.os->wait(l.ready, READY_MAX, sleep_ms());
		if (l.nready == -1)
			die("%s", l.os->name);
		clock_read();
		run_ready();
		run_timers();
		end_turn();
	}
}
