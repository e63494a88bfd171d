/*
 * os_loop_epoll: level triggered epoll(7). A descriptor whose watch asks for
 * nothing is not in the set, since epoll reports hangups unasked.
 *
 * LOOP_ONE is EPOLLEXCLUSIVE. A process that is busy is passed over, and the
 * first of those that sleep is woken, in the order in which they joined: who
 * unwatches and watches again goes to the end of that line.
 */
#include "lib/os_loop.h"

#ifdef __linux__

#include <sys/epoll.h>

#include <assert.h>
#include <errno.h>

#include "lib/die.h"

enum { BATCH = 64 };

static int epfd = -1;

static int
open_epoll(void)
{
	epfd = epoll_create1(EPOLL_CLOEXEC);
	return epfd == -1 ? -1 : 0;
}

static void
close_epoll(void)
{
	fd_close(&epfd);
}

static int
set_epoll(struct watch *w, unsigned now)
{
	struct epoll_event ev = { .data.ptr = w };
	int op = w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if ((now & LOOP_READ) != 0)
		ev.events |= EPOLLIN;
	if ((now & LOOP_WRITE) != 0)
		ev.events |= EPOLLOUT;
	if ((now & LOOP_ONE) != 0) {
		assert(w->events == 0);
		ev.events |= EPOLLEXCLUSIVE;
	}
	if (now == 0)
		op = EPOLL_CTL_DEL;
	return epoll_ctl(epfd, op, w->fd, &ev);
}

static void
forget_epoll(struct watch *w)
{
	(void)w; /* close(2) takes it out of the set */
}

static unsigned
events_of(uint32_t got)
{
	unsigned events = 0;

	if ((got & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		events |= LOOP_READ;
	if ((got & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
		events |= LOOP_WRITE;
	return events;
}

static int
wait_epoll(struct os_ready *ready, size_t max, int ms)
{
	struct epoll_event ev[BATCH];
	int i, n;

	n = epoll_wait(epfd, ev, max < BATCH ? (int)max : BATCH, ms);
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++) {
		ready[i].watch = ev[i].data.ptr;
		ready[i].events = events_of(ev[i].events);
	}
	return n;
}

static const struct os_loop epoll = { "epoll", open_epoll, close_epoll,
	set_epoll, forget_epoll, wait_epoll };
const struct os_loop *const os_loop_native = &epoll;

#else

/* An empty translation unit is not C. */
typedef int os_loop_epoll_is_elsewhere;

#endif
