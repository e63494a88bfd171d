/*
 * auth: decides whether a name and a password belong together.
 *
 * runs as    user-auth, in an empty root directory
 * holds      fd 3 the channel to master, one channel to each smtpd and login,
 *            the mapping of credentials.cdb
 * never      opens a file or a socket, talks to a client, says who exists
 * if owned   the attacker has the hashes and may start sessions as any owner
 *            of a mailbox; no root, no network, no mail by itself
 */
#include <stdlib.h>

#include "auth/credentials.h"
#include "auth/request.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/loop.h"

static void on_peer(struct daemon_peer *);
static void on_map(const char *, int);
static int on_message(struct ipc *, struct ipc_msg *);
static void on_stop(void);

static struct daemon self = {
	.role = ROLE_AUTH,
	.on_peer = on_peer,
	.on_map = on_map,
	.on_message = on_message,
	.on_stop = on_stop,
};

static void
on_gone(struct ipc *peer, void *arg)
{
	(void)arg;
	request_forget(peer); /* master makes a new one and tells us */
	ipc_free(peer);
}

static void
on_peer(struct daemon_peer *p)
{
	(void)ipc_new(p->fd, ROLE_AUTH, p->role, request_take, on_gone, NULL);
	p->fd = -1;
}

static void
on_map(const char *name, int fd)
{
	(void)name; /* the only map that auth is ever given */
	credentials_open(fd);
}

static int
on_message(struct ipc *master, struct ipc_msg *m)
{
	(void)master;
	if (m->type != IPC_SESSION_IS)
		return -1;
	return request_session_is(m);
}

static void
on_last(struct timer *t)
{
	(void)t;
	loop_stop();
}

/* All who wait get their answer, and a turn of the loop to leave in. */
static void
on_stop(void)
{
	static struct timer last = { .fn = on_last };

	request_finish_all();
	loop_timer(&last, 10);
}

int
main(int argc, char **argv)
{
	daemon_start(&self, argc, argv);
	request_init(&self);
	credentials_open(self.credentials_fd);
	self.credentials_fd = -1;
	for (size_t i = 0; i < self.npeer; i++)
		on_peer(&self.peer[i]);
	loop_run();
	log_flush();
	return EXIT_SUCCESS;
}
