/*
 * dns: asks name servers, for all who want to know.
 *
 * runs as    user-dns, in an empty root directory
 * holds      fd 3 the channel to master, one channel to each relay, the
 *            sockets to name servers that it makes itself
 * never      opens a file, listens, passes on a name that is not printable
 * if owned   the attacker may say where mail for other hosts goes, as anyone
 *            could without DNSSEC; no mail, no password, no file
 */
#include <stdlib.h>

#include "dns/question.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/loop.h"

static void on_peer(struct daemon_peer *);

static struct daemon self = {
	.role = ROLE_DNS,
	.on_peer = on_peer,
};

static void
on_gone(struct ipc *peer, void *arg)
{
	(void)arg;
	question_forget(peer); /* master makes a new one and tells us */
	ipc_free(peer);
}

static void
on_peer(struct daemon_peer *p)
{
	(void)ipc_new(p->fd, ROLE_DNS, p->role, question_take, on_gone, NULL);
	p->fd = -1;
}

int
main(int argc, char **argv)
{
	daemon_start(&self, argc, argv);
	for (size_t i = 0; i < self.npeer; i++)
		on_peer(&self.peer[i]);
	loop_run();
	log_flush();
	return EXIT_SUCCESS;
}
