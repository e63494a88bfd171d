/*
 * relay: hands mail to other hosts; SMTP and LMTP, many sessions at once.
 *
 * runs as    user-relay, chrooted to an empty directory, sandboxed
 * holds      fd 3 the channel to master, channels to queue and dns, its
 *            connections; the maps tls-policy and relay-passwords; of each
 *            large message under way the spool file, read only
 * may touch  the network: TCP connections to other hosts, none from them
 * never      opens a file, listens, runs a program, parses an answer of DNS
 * if owned   the attacker sees the mail that passes through this process and
 *            the passwords for smarthosts, may call mail delivered that was
 *            not, and may connect to whatever this host can reach
 */
#include <stdlib.h>
#include <sysexits.h>

#include "lib/daemon.h"
#include "lib/ipc_job.h"
#include "lib/loop.h"

static struct daemon d;

/* Not yet: every recipient is to be tried again later. */
static int
on_job(struct ipc *queue, struct ipc_msg *m, void *arg)
{
	static struct ipc_job job;   /* large: not on the stack */
	static struct ipc_job_is is; /* likewise */
	struct buf b;

	(void)arg;
	if (m->type != IPC_JOB || ipc_job_decode(m->body, &job) == -1)
		return -1;
	is.n = job.nrcpt;
	for (size_t i = 0; i < job.nrcpt; i++)
		is.result[i] = (struct ipc_result){ .qid = job.qid,
			.index = job.rcpt[i].index,
			.code = 451,
			.enhanced = SPAN("4.3.0"),
			.text = SPAN("relay is not built yet"),
			.about = ABOUT_HOST };
	buf_init(&b, IPC_BODY_MAX);
	ipc_job_is_encode(&b, &is);
	(void)ipc_send(queue, IPC_JOB_IS, 0, buf_get(&b), -1, -1);
	buf_fini(&b);
	return 0;
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	enum role role = ipc_peer(ipc);

	(void)arg;
	ipc_free(ipc);
	daemon_peer_lost(role);
}

static void
on_peer(struct daemon_peer *p)
{
	if (p->role != ROLE_QUEUE)
		return;
	(void)ipc_new(p->fd, ROLE_RELAY, p->role, on_job, on_gone, NULL);
	p->fd = -1;
}

int
main(int argc, char **argv)
{
	d.role = ROLE_RELAY;
	d.on_peer = on_peer;
	daemon_start(&d, argc, argv);
	for (size_t i = 0; i < d.npeer; i++)
		on_peer(&d.peer[i]);
	loop_run();
	return EX_OK;
}
