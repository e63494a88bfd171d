/*
 * accept: takes clients off a listening socket.
 *
 * Invariant: the watch is off exactly while the timer is set.
 *
 * One process is woken for a client (LOOP_ONE), always the same one while it
 * sleeps when they come. So that clients who stay spread over all of them,
 * each steps back to the end of the line after TURN of them.
 *
 * Nobody else is woken for a client that was ours: who runs out of descriptors
 * takes it with the one that was kept for it, and only then rests, until there
 * is one to keep again.
 */
#include "lib/accept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <bsd/string.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"

enum { REST_MS = 1000, TURN = 8, EVENTS = LOOP_READ | LOOP_ONE };

/* False: there is no descriptor left. */
static bool
keep_spare(struct accept *a)
{
	if (a->spare == -1)
		a->spare = fcntl(a->watch.fd, F_DUPFD_CLOEXEC, 0);
	return a->spare != -1;
}

static void
again(struct timer *t)
{
	struct accept *a = t->arg;

	a->watch.events = EVENTS;
	if (!keep_spare(a) || loop_watch(&a->watch) == -1)
		loop_timer(t, REST_MS);
}

/* Said once, not every second, until a client can be taken again. */
static void
rest(struct accept *a, int why)
{
	if (!a->said) {
		log_begin(LL_WARN, "limit");
		log_str("what", "accept");
		log_err(why);
		log_end();
	}
	a->said = true;
	loop_unwatch(&a->watch);
	loop_timer(&a->again, REST_MS);
}

/* Others first, for a while. */
static void
step_back(struct accept *a)
{
	a->turn = 0;
	loop_unwatch(&a->watch);
	a->watch.events = EVENTS;
	if (loop_watch(&a->watch) == -1)
		rest(a, errno);
}

static int
take(struct accept *a, struct sockaddr_storage *ss)
{
	socklen_t len = sizeof(*ss);

	return accept4(a->watch.fd, (struct sockaddr *)ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void
ready(struct watch *w, unsigned events)
{
	struct accept *a = w->arg;
	struct sockaddr_storage ss = { 0 };
	int fd = take(a, &ss);

	(void)events;
	if (fd != -1) {
		a->said = false;
		if (++a->turn == TURN)
			step_back(a);
		a->fn(a, fd, (struct sockaddr *)&ss);
		return;
	}
	if (errno == EMFILE && a->spare != -1) {
		fd_close(&a->spare);
		fd = take(a, &ss);
		rest(a, EMFILE);
		if (fd != -1)
			a->fn(a, fd, (struct sockaddr *)&ss);
		return;
	}
	switch (errno) {
	case EAGAIN: /* another process was faster */
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return;
	}
	rest(a, errno);
}

int
accept_open(struct accept *a, int fd, accept_fn *fn, void *arg)
{
	*a = (struct accept){ .spare = -1, .fn = fn, .arg = arg };
	a->watch = (struct watch){
		.fd = fd, .events = EVENTS, .fn = ready, .arg = a
	};
	a->again.fn = again;
	a->again.arg = a;
	(void)keep_spare(a);
	return loop_watch(&a->watch);
}

void
accept_close(struct accept *a)
{
	if (a->fn == NULL || a->watch.fd == -1)
		return;
	if (loop_timer_is_set(&a->again))
		loop_untimer(&a->again);
	else
		loop_unwatch(&a->watch);
	fd_close(&a->spare);
	fd_close(&a->watch.fd);
}

void
accept_address(const struct sockaddr *sa, char *out)
{
	const void *ip = NULL;

	if (sa->sa_family == AF_INET)
		ip = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa->sa_family == AF_INET6)
		ip =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (ip == NULL || inet_ntop(sa->sa_family, ip, out, HOST_MAX) == NULL)
		strlcpy(out, "local", HOST_MAX);
}
