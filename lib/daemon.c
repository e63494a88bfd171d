/*
 * daemon: the beginning of every child. Read the set-up from fd 3, open the
 * log, drop what is dangerous to have, lock the door, say READY.
 *
 * - no byte of a stranger is read before the sandbox is closed
 * - afterwards it listens to master alone, on the same channel
 */
#include "lib/daemon_impl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/loop.h"
#include "lib/os.h"

static struct daemon *self; /* the one of this process */

/* --- afterwards -------------------------------------------------------- */

static void
stop_now(struct daemon *d)
{
	if (d->on_stop != NULL)
		d->on_stop();
	else
		loop_stop();
}

static void
later_map(struct daemon *d, struct ipc_msg *m)
{
	struct ipc_map in;
	char name[32];

	if (ipc_map_decode(m->body, &in) == -1 ||
	    daemon_map_slot(d, in.name) == NULL)
		daemon_malformed(m);
	if (d->on_map != NULL && span_copy(name, sizeof(name), in.name) == 0)
		d->on_map(name, daemon_take_fd(m, 0));
}

static void
later_conf(struct daemon *d, struct ipc_msg *m)
{
	struct conf *old = d->conf;

	d->conf = daemon_take_conf(m);
	log_level(daemon_log_level(d->conf));
	if (d->on_conf != NULL)
		d->on_conf();
	conf_free(old);
}

static int
later_one(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct daemon *d = arg;

	switch (m->type) {
	case IPC_PEER:
		if (d->on_peer != NULL)
			d->on_peer(daemon_take_peer(d, m));
		return 0;
	case IPC_MAP:
		later_map(d, m);
		return 0;
	case IPC_CONFIG:
		later_conf(d, m);
		return 0;
	case IPC_TICKETS:
		daemon_take_tickets(d, m);
		if (d->on_tickets != NULL)
			d->on_tickets();
		return 0;
	case IPC_DIR:
		daemon_take_log(m);
		return 0;
	case IPC_PING:
		(void)ipc_send(ipc, IPC_PONG, m->id, SPAN_NONE, -1, -1);
		return 0;
	case IPC_STOP:
		d->hurry = m->id == STOP_NOW;
		stop_now(d);
		return 0;
	default:
		if (d->on_message == NULL)
			return -1;
		return d->on_message(ipc, m);
	}
}

/* Nobody is left to restart peers: end like after STOP. */
static void
master_gone(struct ipc *ipc, void *arg)
{
	struct daemon *d = arg;

	(void)ipc; /* stays; hooks may still hold it, sends just fail */
	log_msg(LL_WARN, "stop", "master is gone");
	d->hurry = true;
	stop_now(d);
}

static void
signals_ignore(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN); /* those who block: see below */
	if (!daemon_is_blocking(d->role))
		signal(SIGTERM, SIG_IGN);
}

static void
started_by_master(int argc, char **argv)
{
	struct stat st;

	if (argc == 1 && fstat(MASTER_FD, &st) == 0 && S_ISSOCK(st.st_mode))
		return;
	fprintf(stderr,
	    "%s: is started by Postern's master, not by hand; "
	    "see postern(8)\n",
	    argc > 0 ? argv[0] : "postern");
	exit(EX_USAGE);
}

void
daemon_start(struct daemon *d, int argc, char **argv)
{
	char *where;

	started_by_master(argc, argv);
	self = d;
	d->users_fd = d->aliases_fd = d->credentials_fd = -1;
	d->transport_fd = d->tls_policy_fd = d->relay_passwords_fd = -1;
	d->resolv_fd = d->anchor_fd = -1;
	d->dir_fd = d->tally_fd = d->client_fd = -1;
	d->master_fd = MASTER_FD;
	os_close_from(MASTER_FD + 1);
	umask(077);
	signals_ignore(d);
	log_open("stderr", role_name(d->role), LL_INFO);
	daemon_receive(d);
	if ((where = span_dup(d->role_is.log)) == NULL)
		die("incomplete set-up from master");
	log_open(where, role_name(d->role), daemon_log_level(d->conf));
	free(where);
	if (!daemon_is_blocking(d->role)) {
		loop_init();
		d->master = ipc_new(
		    MASTER_FD, d->role, ROLE_MASTER, later_one, master_gone, d);
	} else {
		daemon_log_on_signal();
	}
	daemon_confine(d);
	if (d->prepare != NULL)
		d->prepare();
	log_flush(); /* who is told that we are ready can read what we found */
	if (ipc_write(MASTER_FD, IPC_READY,
		d->flawed ? READY_FLAWED : READY_WHOLE, SPAN_NONE, -1,
		-1) == -1)
		_exit(EX_TEMPFAIL); /* master went away */
}

void
daemon_peer_lost(enum role role)
{
	struct ipc_peer msg = { (uint32_t)role, 0 };
	struct buf b;

	buf_init(&b, 64);
	ipc_peer_encode(&b, &msg);
	/* No master, no new peer: on_stop is on its way then. */
	(void)ipc_send(self->master, IPC_PEER_LOST, 0, buf_get(&b), -1, -1);
	buf_fini(&b);
}
