/*
 * os_loop: the kernel's way of waiting, behind lib/loop.c: epoll, kqueue, or
 * poll where there is neither. Chosen once, by loop_init(). Nobody but
 * loop.c and its test needs this header.
 */
#ifndef LIB_OS_LOOP_H
#define LIB_OS_LOOP_H

#include <stddef.h>

#include "lib/loop.h"

struct os_ready {
	struct watch *watch; /* NULL: no longer watched, skip */
	unsigned events;
};

struct os_loop {
	const char *name;
	int (*open)(void);
	void (*close)(void);
	/*
	 * Asks for w->fd from now on for the events in now, where w->events
	 * is what was asked so far; 0 is "not at all", hangup included.
	 * -1 and errno.
	 */
	int (*set)(struct watch *w, unsigned now);
	/*
	 * w->fd, asked for w->events, is about to be closed, and no other
	 * descriptor shares its socket.
	 */
	void (*forget)(struct watch *w);
	/*
	 * Waits up to ms (-1: for ever) and fills at most max. Returns how
	 * many, 0 also when a signal came; -1 and errno.
	 */
	int (*wait)(struct os_ready *, size_t max, int ms);
};

extern const struct os_loop os_loop_poll;          /* everywhere */
extern const struct os_loop *const os_loop_native; /* the best of here */

/* For tests: loop_init() with a given one; and a clock that jumps. */
void loop_init_with(const struct os_loop *);
void loop_skip(uint64_t ms);

#endif
