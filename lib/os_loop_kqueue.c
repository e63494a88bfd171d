/*
 * os_loop_kqueue: kqueue(2) of the BSDs and macOS, level triggered. Reading
 * and writing are two filters there, so one turn may report a descriptor
 * twice; callbacks do not mind.
 */
#include "lib/os_loop.h"

#if defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || \
    defined(__DragonFly__) || defined(__APPLE__)

#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <errno.h>

#include "lib/die.h"
#include "lib/span.h"

enum { BATCH = 64 };

static int kq = -1;

static int
open_kqueue(void)
{
	kq = kqueue();
	return kq == -1 ? -1 : 0;
}

static void
close_kqueue(void)
{
	fd_close(&kq);
}

static int
set_kqueue(struct watch *w, unsigned now)
{
	static const struct {
		unsigned event;
		short filter;
	} filters[] = {
		{ LOOP_READ, EVFILT_READ },
		{ LOOP_WRITE, EVFILT_WRITE },
	};
	struct kevent change[nitems(filters)];
	int n = 0;
	size_t i;

	for (i = 0; i < nitems(filters); i++) {
		if (((w->events ^ now) & filters[i].event) == 0)
			continue;
		EV_SET(&change[n], w->fd, filters[i].filter,
		    (now & filters[i].event) != 0 ? EV_ADD : EV_DELETE, 0, 0,
		    w);
		n++;
	}
	return n == 0 ? 0 : kevent(kq, change, n, NULL, 0, NULL);
}

static void
forget_kqueue(struct watch *w)
{
	(void)w; /* close(2) takes its filters away */
}

static int
wait_kqueue(struct os_ready *ready, size_t max, int ms)
{
	struct kevent ev[BATCH];
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };
	int i, n;

	n = kevent(kq, NULL, 0, ev, max < BATCH ? (int)max : BATCH,
	    ms < 0 ? NULL : &ts);
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++) {
		ready[i].watch = (struct watch *)ev[i].udata;
		ready[i].events =
		    ev[i].filter == EVFILT_WRITE ? LOOP_WRITE : LOOP_READ;
	}
	return n;
}

static const struct os_loop kqueue_loop = { "kqueue", open_kqueue, close_kqueue,
	set_kqueue, forget_kqueue, wait_kqueue };
const struct os_loop *const os_loop_native = &kqueue_loop;

#else

/* An empty translation unit is not C. */
typedef int os_loop_kqueue_is_elsewhere;

#endif
