/*
 * queue: mail at rest.
 *
 * runs as    user-queue, in an empty root directory
 * holds      fd 3 the channel to master, one channel to each smtpd, relay and
 *            deliver process, queue.sock, the mapped users, aliases and
 *            transports, the spool directory
 * may touch  the spool directory, nothing else
 * never      opens a socket, talks to a client, sees a mailbox
 * if owned   the attacker reads and forges mail in the queue, and may have
 *            deliver processes started as mailbox owners; no root
 *
 * One loop; files are synced in it (ARCHITECTURE 3 says why).
 */
#include <stdlib.h>

#include "lib/log.h"
#include "queue/ctl.h"
#include "queue/intake.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/relay.h"
#include "queue/scan.h"
#include "queue/schedule.h"
#include "queue/store.h"
#include "queue/worker.h"

struct queue queue;

static void on_peer(struct daemon_peer *);
static void on_map(const char *, int);
static void on_conf(void);
static void on_stop(void);
static int on_message(struct ipc *, struct ipc_msg *);

static struct daemon self = {
	.role = ROLE_QUEUE,
	.on_peer = on_peer,
	.on_map = on_map,
	.on_conf = on_conf,
	.on_stop = on_stop,
	.on_message = on_message,
};

static int
on_submission(struct ipc *peer, struct ipc_msg *m, void *arg)
{
	(void)arg;
	return intake_message(peer, m);
}

static void
on_gone(struct ipc *peer, void *arg)
{
	(void)arg;
	intake_forget(peer); /* master makes a new one and tells us */
	ipc_free(peer);
}

static void
on_peer(struct daemon_peer *p)
{
	if (p->role == ROLE_RELAY)
		relay_new(p->fd, p->index);
	else if (p->role == ROLE_SMTPD)
		(void)ipc_new(p->fd, ROLE_QUEUE, ROLE_SMTPD, on_submission,
		    on_gone, NULL);
	else
		return;
	p->fd = -1;
}

static void
on_map(const char *name, int fd)
{
	maps_replace(&queue.maps, name, fd);
}

static void
on_conf(void)
{
	queue.conf = self.conf;
}

static int
on_message(struct ipc *master, struct ipc_msg *m)
{
	(void)master;
	return m->type == IPC_WORKER_IS ? worker_is(m) : -1;
}

/* --- the end ----------------------------------------------------------- */

static void
on_late(struct timer *t)
{
	(void)t;
	loop_stop();
}

static void
stop_if_quiet(void)
{
	static struct timer soon = { .fn = on_late };

	if (queue.stopping && schedule_busy() == 0 &&
	    !loop_timer_is_set(&soon))
		loop_timer(&soon, 1); /* after what this turn still writes */
}

/* Deliveries under way may end; all else is on disk already. */
static void
on_stop(void)
{
	static struct timer late = { .fn = on_late };

	if (queue.stopping)
		return;
	queue.stopping = true;
	loop_timer(&late, QUEUE_STOP_WAIT);
}

static void
each_turn(void *arg)
{
	(void)arg;
	schedule_run();
	message_flush_all();
	stop_if_quiet();
}

int
main(int argc, char **argv)
{
	daemon_start(&self, argc, argv);
	queue.daemon = &self;
	queue.conf = self.conf;
	on_map("users", self.users_fd);
	on_map("aliases", self.aliases_fd);
	on_map("transport", self.transport_fd);
	store_init(self.dir_fd);
	intake_init();
	loop_each_turn(each_turn, NULL);
	for (size_t i = 0; i < self.npeer; i++)
		on_peer(&self.peer[i]);
	for (size_t i = 0; i < self.nlisten; i++)
		ctl_listen(self.listen[i].fd);
	scan_begin();
	loop_run();
	message_flush_all();
	log_flush();
	return EXIT_SUCCESS;
}
