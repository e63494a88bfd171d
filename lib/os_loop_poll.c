/*
 * os_loop_poll: poll(2), which is everywhere. Invariant: pfd[i] belongs to
 * watched[i]; only watches that ask for something are listed.
 */
#include "lib/os_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/die.h"

static struct pollfd *pfd;
static struct watch **watched;
static size_t count, room;
static size_t from; /* where the next turn begins: nobody starves */

static int
open_poll(void)
{
	return 0;
}

static void
close_poll(void)
{
	free(pfd);
	free(watched);
	pfd = NULL;
	watched = NULL;
	count = room = from = 0;
}

static size_t
index_of(const struct watch *w)
{
	size_t i;

	for (i = 0; i < count && watched[i] != w; i++)
		;
	return i;
}

static void
append(struct watch *w)
{
	if (count == room) {
		room = room == 0 ? 16 : 2 * room;
		pfd = xreallocarray(pfd, room, sizeof(*pfd));
		watched = xreallocarray(watched, room, sizeof(*watched));
	}
	pfd[count] = (struct pollfd){ .fd = w->fd };
	watched[count++] = w;
}

static int
set_poll(struct watch *w, unsigned now)
{
	size_t i;
	short events = 0;

	if (w->events == 0)
		append(w);
	i = index_of(w);
	if (i == count) {
		errno = ENOENT;
		return -1;
	}
	if (now == 0) {
		count--;
		pfd[i] = pfd[count];
		watched[i] = watched[count];
		return 0;
	}
	if ((now & LOOP_READ) != 0)
		events |= POLLIN;
	if ((now & LOOP_WRITE) != 0)
		events |= POLLOUT;
	pfd[i].events = events;
	return 0;
}

static void
forget_poll(struct watch *w)
{
	(void)set_poll(w, 0);
}

static unsigned
events_of(short got)
{
	unsigned events = 0;

	if ((got & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0)
		events |= LOOP_READ;
	if ((got & (POLLOUT | POLLHUP | POLLERR | POLLNVAL)) != 0)
		events |= LOOP_WRITE;
	return events;
}

static int
wait_poll(struct os_ready *ready, size_t max, int ms)
{
	size_t i, at, n = 0;

	if (poll(pfd, (nfds_t)count, ms) == -1)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < count && n < max; i++) {
		at = (from + i) % count;
		if (pfd[at].revents == 0)
			continue;
		ready[n].watch = watched[at];
		ready[n++].events = events_of(pfd[at].revents);
	}
	from = count == 0 ? 0 : (from + i) % count;
	return (int)n;
}

const struct os_loop os_loop_poll = { "poll", open_poll, close_poll, set_poll,
	forget_poll, wait_poll };

#if !defined(__linux__) && !defined(__FreeBSD__) && !defined(__OpenBSD__) && \
    !defined(__NetBSD__) && !defined(__DragonFly__) && !defined(__APPLE__)
const struct os_loop *const os_loop_native = &os_loop_poll;
#endif
