/* crowd: one kind of lib/tally.h. */
#include "relay/crowd.h"

#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/loop.h"
#include "lib/tally.h"
#include "relay/relay.h"
#include "relay/target.h"

void
crowd_init(const struct daemon *d)
{
	if (d->tally_fd != -1 &&
	    tally_open(d->tally_fd, d->index, d->count) == -1)
		die("shared counters");
}

static uint32_t
count(const struct target *t, int delta)
{
	return tally_add(TALLY_CONNECTED,
	    tally_network((const struct sockaddr *)&t->ss), delta,
	    loop_wall());
}

bool
crowd_is_full(const struct target *t)
{
	uint64_t most = relay.conf->relay_host_connections;

	return most > 0 && count(t, 0) >= most;
}

void
crowd_enter(const struct target *t)
{
	(void)count(t, 1);
}

void
crowd_leave(const struct target *t)
{
	(void)count(t, -1);
}
