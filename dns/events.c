/*
 * events: one `struct event` for each that libunbound makes. As libevent has
 * it: one that does not persist fires once and is off; one that persists
 * starts its timer again. After a callback the event may be gone: it is the
 * last thing done.
 */
#include "dns/events.h"

#include <stdlib.h>
#include <sys/time.h>

#include <unbound-event.h>

#include "lib/die.h"
#include "lib/loop.h"

typedef void event_fn(int fd, short what, void *arg);

struct event {
	struct ub_event super; /* first: what libunbound has a pointer to */
	struct watch watch;
	struct timer timer;
	short bits;
	uint64_t ms; /* of the timer, so that it can start again */
	bool timed;
	event_fn *fn;
	void *arg;
};

static struct event *
event_of(struct ub_event *super)
{
	return (struct event *)(void *)super;
}

static void
event_stop(struct event *e)
{
	if (e->watch.events != 0)
		loop_unwatch(&e->watch);
	loop_untimer(&e->timer);
	e->timed = false;
}

static void
event_fire(struct event *e, short what)
{
	if ((e->bits & UB_EV_PERSIST) == 0)
		event_stop(e);
	else if (e->timed)
		loop_timer(&e->timer, e->ms);
	e->fn(e->watch.fd, what, e->arg);
}

static void
on_ready(struct watch *w, unsigned events)
{
	short what = 0;

	if ((events & LOOP_READ) != 0)
		what |= UB_EV_READ;
	if ((events & LOOP_WRITE) != 0)
		what |= UB_EV_WRITE;
	event_fire(w->arg, what);
}

static void
on_timer(struct timer *t)
{
	event_fire(t->arg, UB_EV_TIMEOUT);
}

static void
event_add_bits(struct ub_event *super, short bits)
{
	event_of(super)->bits |= bits;
}

static void
event_del_bits(struct ub_event *super, short bits)
{
	event_of(super)->bits &= (short)~bits;
}

static void
event_set_fd(struct ub_event *super, int fd)
{
	event_of(super)->watch.fd = fd;
}

static void
event_free(struct ub_event *super)
{
	event_stop(event_of(super));
	free(super);
}

static void
event_time(struct event *e, const struct timeval *tv)
{
	e->timed = true;
	e->ms = (uint64_t)tv->tv_sec * 1000 +
	    ((uint64_t)tv->tv_usec + 999) / 1000;
	loop_timer(&e->timer, e->ms);
}

static int
event_add(struct ub_event *super, struct timeval *tv)
{
	struct event *e = event_of(super);
	unsigned want = 0;

	if ((e->bits & UB_EV_READ) != 0)
		want |= LOOP_READ;
	if ((e->bits & UB_EV_WRITE) != 0)
		want |= LOOP_WRITE;
	if (e->watch.events != 0) {
		loop_rewatch(&e->watch, want);
	} else if (want != 0) {
		e->watch.events = want;
		if (loop_watch(&e->watch) == -1)
			return -1;
	}
	if (tv != NULL)
		event_time(e, tv);
	return 0;
}

static int
event_del(struct ub_event *super)
{
	event_stop(event_of(super));
	return 0;
}

static int
event_add_timer(struct ub_event *super, struct ub_event_base *base,
    event_fn *fn, void *arg, struct timeval *tv)
{
	struct event *e = event_of(super);

	(void)base;
	event_stop(e);
	e->watch.fd = -1;
	e->bits = UB_EV_TIMEOUT;
	e->fn = fn;
	e->arg = arg;
	event_time(e, tv);
	return 0;
}

/* Signals and Windows: libunbound does not ask for them here. */
static struct ub_event_vmt event_table = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del,
};

static struct ub_event *
event_new(struct ub_event_base *base, int fd, short bits, event_fn *fn,
    void *arg)
{
	struct event *e = xcalloc(1, sizeof(*e));

	(void)base;
	e->super.magic = UB_EVENT_MAGIC;
	e->super.vmt = &event_table;
	e->watch.fd = fd;
	e->watch.fn = on_ready;
	e->watch.arg = e;
	e->timer.fn = on_timer;
	e->timer.arg = e;
	e->bits = bits;
	e->fn = fn;
	e->arg = arg;
	return &e->super;
}

/* Whoever owns the loop runs and ends it. */
static int
base_exit(struct ub_event_base *base, struct timeval *tv)
{
	(void)base;
	(void)tv;
	return 0;
}

struct ub_event_base *
events_base(void)
{
	static struct ub_event_base_vmt table = {
		.loopexit = base_exit,
		.new_event = event_new,
	};
	static struct ub_event_base base = { UB_EVENT_MAGIC, &table };

	return &base;
}
