/*
 * daemon_stem: a process from which sessions are forked, so that none of
 * them has to be loaded, linked and told its configuration anew.
 *
 *	stem --FORK--> forks; the new process is master's child, not ours
 *	  |  --CONFIG, "log"--> for those to come
 *	  `--STOP, master is gone--> exit
 *
 * It is what every child of master is before GO, and no more: it has the
 * channel, the log, the configuration; of a session it knows what master
 * said, for as long as the fork takes, and nothing that a stranger wrote is
 * looked at. What comes after the fork is the way of every other child: the
 * user is changed, the sandbox is closed, READY is said, and only then the
 * first byte is read.
 */
#include "lib/daemon_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/os.h"

/* In the new process: the channel to master is another one. */
static void
become_session(struct daemon *d, struct ipc_msg *m)
{
	int channel = daemon_take_fd(m, 0);

	log_forget();
	if (dup2(channel, MASTER_FD) == -1)
		die("channel to master");
	fd_close(&channel);
	daemon_take_role(d, m, 1);
}

static void
answer(uint32_t id, pid_t pid)
{
	struct ipc_fork_is is = { .pid = pid == -1 ? 0 : (uint64_t)pid };
	struct buf b;

	buf_init(&b, 64);
	ipc_fork_is_encode(&b, &is);
	if (ipc_write(MASTER_FD, IPC_FORK_IS, id, buf_get(&b), -1, -1) == -1)
		_exit(EX_TEMPFAIL); /* master went away */
	buf_fini(&b);
}

/* True in the new process. */
static bool
fork_one(struct daemon *d, struct ipc_msg *m)
{
	pid_t pid = -1;

	if (!m->lost && m->fd[1] == -1)
		daemon_malformed(m);
	log_flush();
	if (!m->lost)
		pid = os_fork_sibling();
	if (pid == 0) {
		become_session(d, m);
		return true;
	}
	if (pid == -1)
		log_msg(LL_ERROR, "spawn", "cannot fork: %s", strerror(errno));
	answer(m->id, pid);
	return false;
}

static bool
stem_one(struct daemon *d, struct ipc_msg *m)
{
	switch (m->type) {
	case IPC_FORK:
		return fork_one(d, m);
	case IPC_CONFIG:
		conf_free(d->conf);
		d->conf = daemon_take_conf(m);
		return false;
	case IPC_DIR:
		daemon_take_log(m);
		return false;
	case IPC_STOP:
		log_flush();
		exit(EX_OK);
	default:
		daemon_malformed(m);
	}
}

void
daemon_stem(struct daemon *d)
{
	struct buf scratch;
	struct ipc_msg m;
	bool forked = false;
	int got;

	if (d->conf == NULL || !daemon_is_blocking(d->role))
		die("incomplete set-up from master");
	/* Once for all sessions; what it needs to fork them it keeps. */
	if (geteuid() == 0 && os_capabilities_forbid() == -1)
		die("cannot give up capabilities");
	if (ipc_write(MASTER_FD, IPC_READY, READY_WHOLE, SPAN_NONE, -1, -1) ==
	    -1)
		_exit(EX_TEMPFAIL);
	buf_init(&scratch, IPC_PACKET_MAX);
	while (!forked) {
		got = ipc_recv(
		    MASTER_FD, d->role, ROLE_MASTER, &scratch, &m, true);
		if (got == 0)
			_exit(EX_OK);
		if (got == -1)
			die("channel to master");
		forked = stem_one(d, &m);
		ipc_close_fds(&m);
		/* The next session shall know nothing of this one. */
		explicit_bzero(scratch.p,
		    (size_t)(m.body.p - scratch.p) + m.body.n);
	}
	buf_fini(&scratch);
}
