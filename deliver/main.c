/*
 * deliver: puts messages into the mailboxes of one owner.
 *
 * runs as    the mailboxes' owner (uid, groups), umask 077
 * holds      fd 3 the channel to master, a channel to the queue, directories
 *            of mailboxes used lately; now and then a spool file, read only
 * may touch  the tree below its root: the mail root, or the owner's home
 * never      opens a socket, runs a program, follows a file name that came
 *            from a message
 * if owned   the attacker has what the owner already had
 *
 * Blocking and straight: take all jobs that wait, write all copies, make
 * them durable together, answer all in one packet. SIGTERM may end it
 * between any two calls: what was not answered is delivered again, under the
 * same file name (deliver/store.c).
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "deliver/box.h"
#include "deliver/job.h"
#include "deliver/store.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/log.h"

static struct daemon self = { .role = ROLE_DELIVER };
static struct outcome outcomes[JOB_RESULT_MAX];

/*
 * Waits for a job, then takes those that came meanwhile, as long as any job
 * would fit. How many outcomes; *gone: the queue closed the channel.
 */
static size_t
jobs_gather(struct buf *scratch, bool *gone)
{
	struct ipc_msg m;
	size_t n = 0;
	int got, more;

	while (n + JOB_RCPT_MAX <= JOB_RESULT_MAX) {
		errno = 0;
		got = ipc_recv(self.client_fd, ROLE_DELIVER, ROLE_QUEUE,
		    scratch, &m, n == 0);
		if (got == 0 && n > 0 && errno == EAGAIN)
			return n;
		if (got <= 0) {
			*gone = true;
			return n;
		}
		more = job_take(&m, &outcomes[n]);
		if (more == -1)
			die("malformed job");
		n += (size_t)more;
	}
	return n;
}

static void
answer(size_t n)
{
	static struct ipc_job_is is;
	static struct buf b = { .max = IPC_PACKET_MAX };
	const struct outcome *o;
	size_t i;

	is.n = n;
	for (i = 0; i < n; i++) {
		o = &outcomes[i];
		is.result[i] = (struct ipc_result){
			.qid = o->qid,
			.index = o->index,
			.code = (uint32_t)o->code,
			.enhanced = span_str(o->enhanced),
			.text = span_str(o->text),
		};
	}
	buf_clear(&b);
	ipc_job_is_encode(&b, &is);
	if (b.bad ||
	    ipc_write(self.client_fd, IPC_JOB_IS, 0, buf_get(&b), -1, -1) == -1)
		die("cannot answer the queue");
}

int
main(int argc, char **argv)
{
	struct buf scratch;
	bool gone = false;
	size_t n;

	daemon_start(&self, argc, argv);
	assert(self.conf != NULL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG is enough */
	/*
	 * An owner without an account is the owner of many people's virtual
	 * mailboxes: a link in one must not lead into another.
	 */
	box_init(self.dir_fd, self.dir_errno, self.role_is.root,
	    self.role_is.user.n > 0);
	store_init(self.conf->hostname);

	buf_init(&scratch, IPC_PACKET_MAX);
	while (!gone) {
		n = jobs_gather(&scratch, &gone);
		store_commit();
		if (n > 0)
			answer(n);
		log_flush();
		if (self.dir_fd == -1) /* a successor may find it mended */
			gone = true;
	}
	exit(log_fini() == 0 ? EX_OK : EX_IOERR);
}
