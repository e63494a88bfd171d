/*
 * loop: the one event loop of a process; epoll, kqueue or poll behind one
 * face (lib/os_loop_*.c). Level triggered. Callbacks never block. There is
 * one loop in a process, so no handle is passed around.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Errors and hangup come as those of the two that were asked for. */
enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	/*
	 * Asked for beside LOOP_READ: other processes watch the same socket, and
	 * one of those that sleep is enough for each client. Only a wish, and it
	 * cannot be rewatched: unwatch and watch.
	 */
	LOOP_ONE = 4,
};

struct watch;
typedef void watch_fn(struct watch *, unsigned events);

struct watch { /* embedded in its owner; must stay put while watched */
	int fd;
	unsigned events;
	watch_fn *fn;
	void *arg;
};

struct timer;
typedef void timer_fn(struct timer *);

struct timer { /* embedded in its owner; zeroed is "not set" */
	uint64_t at; /* ms, loop clock */
	timer_fn *fn;
	void *arg;
	uint32_t slot; /* place in the heap + 1; 0: not set */
};

/* Also ignores SIGPIPE: a client that left is an error of write(2). */
void loop_init(void);
void loop_fini(void);
/* Runs until loop_stop(). */
void loop_run(void);
void loop_stop(void);

/* Monotonic ms, read once per turn; and wall clock seconds, likewise. */
uint64_t loop_now(void);
int64_t loop_wall(void);

/*
 * Starts watching w->fd for w->events (fields set by the caller, also anew
 * when it was unwatched: events is 0 then). -1 and errno if the kernel
 * refuses. After loop_unwatch() no callback comes any more, not even one
 * already fetched in this turn.
 */
int loop_watch(struct watch *w);
/* No system call if nothing changes. events 0: not even a hangup comes. */
void loop_rewatch(struct watch *w, unsigned events);
void loop_unwatch(struct watch *w);
/*
 * Unwatches and closes w->fd, which must be the only descriptor of its
 * socket (not duplicated, not passed on): a system call less. fd is -1 then.
 */
void loop_close(struct watch *w);

/* (Re)sets t to fire once, ms from now. fn and arg set by the caller. */
void loop_timer(struct timer *t, uint64_t ms);
void loop_untimer(struct timer *t);
bool loop_timer_is_set(const struct timer *t);

/* fn runs in the loop, not in signal context. The first call makes a pipe. */
void loop_signal(int signo, void (*fn)(int signo));

/*
 * fn runs at the end of each turn, before the process may sleep (gathered
 * output, batches). Up to 8; order of registration. If loop_again() was
 * called meanwhile all run once more: there is work for one that had its
 * turn. Log lines are flushed after them.
 */
void loop_each_turn(void (*fn)(void *arg), void *arg);
void loop_again(void);

#endif
