/*
 * tickets: see the header. A key seals tickets for TICKETS_MS and opens them
 * until two younger ones have had their time; then it is gone, and with it
 * the way into what was recorded of the sessions (RFC 9325 3.4, RFC 5077 5.5).
 */
#include "master/tickets.h"

#include <string.h>

#include "lib/die.h"
#include "lib/hash.h"
#include "lib/ipc_setup.h"
#include "lib/limits.h"
#include "lib/tls.h"
#include "master/child.h"
#include "master/topology.h"

static unsigned char keys[ROLE_COUNT][TLS_TICKETS]; /* newest first */

void
tickets_give(struct child *c)
{
	struct ipc_tickets msg = {
		span_of(keys[c->role], sizeof(keys[c->role]))
	};
	struct buf b;

	buf_init(&b, 1024);
	ipc_tickets_encode(&b, &msg);
	child_send(c, IPC_TICKETS, 0, &b, -1, -1);
	explicit_bzero(b.p, b.n);
	buf_fini(&b);
}

static bool
has_tickets(enum role role)
{
	const struct topology_row *row = topology_row(role);

	return row != NULL && (row->gives & GIVES_TICKETS) != 0;
}

static void
renew(struct timer *t)
{
	for (enum role r = 0; r < ROLE_COUNT; r++) {
		memmove(keys[r] + TLS_TICKET_KEY, keys[r],
		    sizeof(keys[r]) - TLS_TICKET_KEY);
		random_bytes(keys[r], TLS_TICKET_KEY);
	}
	for (struct child *c = children; c != NULL; c = c->next)
		if (c->ipc != NULL && has_tickets(c->role))
			tickets_give(c);
	loop_timer(t, TICKETS_MS);
}

void
tickets_init(void)
{
	static struct timer again = { .fn = renew };

	random_bytes(keys, sizeof(keys));
	loop_timer(&again, TICKETS_MS);
}
