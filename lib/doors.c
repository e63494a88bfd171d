/* doors: see the header; a process has one set of them. */
#include "lib/doors.h"

#include "lib/accept.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/tally.h"

static struct accept doors[DAEMON_LISTEN_MAX];
static const struct doors_ops *ops;

static void
on_client(struct accept *a, int fd, const struct sockaddr *sa)
{
	ops->client(fd, sa, a->arg);
}

void
doors_open(const struct daemon *d, const struct doors_ops *o)
{
	const void *service;

	ops = o;
	if (d->tally_fd != -1 &&
	    tally_open(d->tally_fd, d->index, d->count) == -1)
		die("shared counters");
	for (size_t i = 0; i < d->nlisten; i++) {
		service = ops->find(d->listen[i].service);
		if (service == NULL)
			die("unknown service %s", d->listen[i].service);
		if (accept_open(&doors[i], d->listen[i].fd, on_client,
			(void *)(uintptr_t)service) == -1)
			die("cannot watch %s", d->listen[i].address);
	}
}

void
doors_close(void)
{
	for (size_t i = 0; i < DAEMON_LISTEN_MAX; i++)
		accept_close(&doors[i]);
}
