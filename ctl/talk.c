/*
 * talk: one question to master or the queue, over their sockets in run-dir:
 * an argument vector there, text and an exit status back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/die.h"
#include "lib/ipc_ctl.h"
#include "lib/limits.h"

/*
 * How long the other side may say nothing. Master may need a minute to get
 * new processes ready; the queue answers piece by piece.
 */
enum { MASTER_SILENCE = 150, QUEUE_SILENCE = 60, SHORT_SILENCE = 5 };

/* For connect(2) to a full backlog, for writing and for reading. */
static int
talk_patience(int fd, time_t seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int
talk_open(const struct ctl *c, enum role whom, time_t patience)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char path[PATH_LEN_MAX];
	int fd;

	if (ctl_path(path, c->conf->run_dir,
		whom == ROLE_QUEUE ? "queue.sock" : "ctl.sock") == -1 ||
	    span_copy(sun.sun_path, sizeof(sun.sun_path), span_str(path)) ==
	    -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (talk_patience(fd, patience) == -1 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		fd_close(&fd);
		return -1;
	}
	return fd;
}

static int
talk_send(int fd, int argc, char *const *argv)
{
	struct ipc_ctl q = { 0 };
	struct buf out;
	int rc = -1;

	errno = E2BIG;
	if (argc > CTL_ARGS_MAX)
		return -1;
	for (int i = 0; i < argc; i++)
		q.argv[q.argc++] = span_str(argv[i]);
	buf_init(&out, IPC_BODY_MAX);
	ipc_ctl_encode(&out, &q);
	if (!out.bad)
		rc = ipc_write(fd, IPC_CTL, 1, buf_get(&out), -1, -1);
	buf_fini(&out);
	return rc;
}

static int
talk_end(struct span body, bool quiet)
{
	struct ipc_ctl_end end;

	if (ipc_ctl_end_decode(body, &end) == -1)
		return ctl_fail(EX_PROTOCOL, "the answer cannot be read; are "
		    "two versions mixed?");
	fflush(stdout);
	while (end.why.n != 0 && end.why.p[end.why.n - 1] == '\n')
		end.why.n--;
	if (end.why.n != 0 && !quiet)
		fprintf(stderr, "postern: %.*s\n", SPAN_FMT(end.why));
	return (int)end.status;
}

/* Remote words may be in it: nothing that steers a terminal gets through. */
static void
text_print(struct span text)
{
	struct buf safe;
	struct span line;
	bool whole;

	buf_init(&safe, 4 * IPC_PACKET_MAX);
	while (text.n != 0) {
		whole = span_has(text, '\n');
		line = span_cut(&text, '\n');
		while (line.n != 0) {
			buf_safe(&safe, span_cut(&line, '\t'));
			buf_str(&safe, line.n != 0 ? "\t" : "");
		}
		buf_str(&safe, whole ? "\n" : "");
	}
	(void)ctl_print(&safe);
	buf_fini(&safe);
}

static bool
is_silence(int e)
{
	return e == EAGAIN || e == EWOULDBLOCK;
}

static int
talk_cut(enum role whom, bool silent, bool quiet)
{
	if (quiet)
		return EX_TEMPFAIL;
	return ctl_fail(EX_TEMPFAIL, silent ? "%s does not answer; look at "
	    "its log, and at its process with postern status --processes" :
	    "%s ended before it had answered", role_name(whom));
}

static int
talk_receive(int fd, enum role whom, struct buf *out, bool quiet)
{
	struct buf scratch;
	struct ipc_msg m;
	int got, rc = -1;

	buf_init(&scratch, IPC_PACKET_MAX);
	while (rc == -1) {
		got = ipc_recv(fd, ROLE_CTL, whom, &scratch, &m, true);
		if (got != 1) {
			rc = talk_cut(whom, is_silence(errno),
			    quiet);
			break;
		}
		if (m.type == IPC_CTL_END)
			rc = talk_end(m.body, quiet);
		else if (out != NULL)
			buf_span(out, m.body);
		else
			text_print(m.body);
		ipc_close_fds(&m);
	}
	buf_fini(&scratch);
	return rc;
}

static int
talk_refused(const struct ctl *c, enum role whom)
{
	const char *dir = c->conf->run_dir;

	if (errno == EACCES || errno == EPERM)
		return ctl_fail(EX_NOPERM, "only root and the owner of %s may "
		    "do this; try sudo or doas", dir);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return ctl_fail(EX_UNAVAILABLE, "%s; type: postern%s%s start",
		    whom == ROLE_QUEUE && talk_is_up(c)
			? "the queue is not up" : "Postern is not running",
		    strcmp(c->conf_path, conf_default_path) == 0 ? "" : " -c ",
		    strcmp(c->conf_path, conf_default_path) == 0
			? "" : c->conf_path);
	if (is_silence(errno))
		return talk_cut(whom, true, false);
	return ctl_fail(EX_OSERR, "%s: %s", dir, strerror(errno));
}

/* Who asks beside something else (quiet) waits less. */
static time_t
patience_with(enum role whom, bool quiet)
{
	if (whom == ROLE_MASTER)
		return MASTER_SILENCE;
	return quiet ? SHORT_SILENCE : QUEUE_SILENCE;
}

int
talk(const struct ctl *c, enum role whom, int argc, char *const *argv,
    struct buf *out, bool quiet)
{
	int rc, fd = talk_open(c, whom, patience_with(whom, quiet));

	if (fd == -1)
		return quiet ? EX_UNAVAILABLE : talk_refused(c, whom);
	if (talk_send(fd, argc, argv) == -1)
		rc = ctl_fail(EX_OSERR, "%s: %s", c->conf->run_dir,
		    strerror(errno));
	else
		rc = talk_receive(fd, whom, out, quiet);
	fd_close(&fd);
	return rc;
}

bool
talk_is_up(const struct ctl *c)
{
	int fd = talk_open(c, ROLE_MASTER, SHORT_SILENCE);
	bool up = fd != -1;

	fd_close(&fd);
	return up;
}
