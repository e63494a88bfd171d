/* tickets: a key comes, ages, and goes; who has keys gets each new one. */
#include <string.h>

#include "lib/ipc_setup.h"
#include "master/child.h"

static struct child *given_to; /* the last one, */
static unsigned given;         /* so often, */
static unsigned char got[240]; /* and what */

struct child *children;

void
child_send(struct child *c, enum ipc_type type, uint32_t id,
    const struct buf *b, int fd, int fd2)
{
	struct ipc_tickets in;

	(void)id;
	(void)fd;
	(void)fd2;
	given_to = c;
	given++;
	memset(got, 0, sizeof(got));
	if (type == IPC_TICKETS && ipc_tickets_decode(buf_get(b), &in) == 0 &&
	    in.keys.n == sizeof(got))
		memcpy(got, in.keys.p, sizeof(got));
}

#include "master/tickets.c" /* not in the library: it is master's own */

#include "lib/os_loop.h"
#include "t/unit/tap.h"
#include "t/unit/turns.h"

const struct topology_row *
topology_row(enum role role)
{
	static const struct topology_row with = { .gives = GIVES_TICKETS },
					 without = { .gives = GIVES_CERT };

	return role == ROLE_SMTPD || role == ROLE_LOGIN ? &with :
	    role == ROLE_QUEUE                          ? &without
							: NULL;
}

enum { KEY = TLS_TICKET_KEY };

static void
test_ages(struct child *smtpd)
{
	unsigned char was[sizeof(got)];

	tickets_give(smtpd);
	ok(memcmp(got, got + KEY, KEY) != 0 &&
		memcmp(got + KEY, got + 2 * KEY, KEY) != 0,
	    "three keys, not one");
	for (int i = 0; i < 4; i++) {
		memcpy(was, got, sizeof(was));
		given = 0;
		loop_skip(TICKETS_MS / 2);
		turns(1, 0);
		ok(given == 0, "they last");
		loop_skip(TICKETS_MS / 2);
		turns(1, 0);
		ok(given == 1 && given_to == smtpd,
		    "then those who have keys get others");
		ok(memcmp(got + KEY, was, 2 * KEY) == 0,
		    "the two newest are kept");
		ok(memcmp(got, was, KEY) != 0 &&
			memcmp(got, was + 2 * KEY, KEY) != 0,
		    "the newest is new");
	}
}

int
main(void)
{
	struct child smtpd = { .role = ROLE_SMTPD },
		     login = { .role = ROLE_LOGIN },
		     queue = { .role = ROLE_QUEUE },
		     deaf = { .role = ROLE_SMTPD };
	char channel;
	unsigned char was[sizeof(got)];

	loop_init();
	/* Only whether there is one is looked at. */
	smtpd.ipc = login.ipc = queue.ipc = (struct ipc *)(void *)&channel;
	deaf.next = &queue;
	queue.next = &smtpd;
	children = &deaf;
	tickets_init();
	test_ages(&smtpd);
	memcpy(was, got, sizeof(was));
	tickets_give(&login);
	ok(memcmp(got, was, sizeof(was)) != 0, "each role has its own");
	tickets_give(&deaf);
	ok(memcmp(got, was, sizeof(was)) == 0, "and all of it the same");
	loop_fini();
	return done();
}
