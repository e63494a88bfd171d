/*
 * daemon_log: another descriptor 2: the log file was renamed, or the system
 * logger was started again, or the administrator named another place.
 *
 * Who has the loop reads it from master like all else. Who blocks (deliver,
 * sessions) does not read that channel after GO; nothing else comes there.
 * Master sends it SIGUSR1, and the handler takes what waits: also in one that
 * sits in a read for an hour. A line that is half written then goes on in the
 * new place.
 */
#include "lib/daemon_impl.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "lib/die.h"

void
daemon_take_log(struct ipc_msg *m)
{
	struct ipc_dir in;

	if (ipc_dir_decode(m->body, &in) == -1 || m->fd[0] == -1 ||
	    !span_eq(in.name, SPAN("log")))
		daemon_malformed(m);
	log_flush();
	if (dup2(m->fd[0], STDERR_FILENO) == -1)
		log_msg(LL_WARN, "log", "cannot change the log");
}

/* Only what is safe in a handler. */
static void
on_signal(int signo)
{
	int saved = errno, fd;

	(void)signo;
	while ((fd = ipc_take_fd(MASTER_FD, IPC_DIR)) != -1) {
		(void)dup2(fd, STDERR_FILENO);
		close(fd);
	}
	errno = saved;
}

/*
 * After GO: until then, and in a stem, the channel is read as it should be.
 * Master sends it to nobody who has not said READY.
 */
void
daemon_log_on_signal(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };

	if (sigaction(SIGUSR1, &sa, NULL) == -1)
		die("sigaction");
}
