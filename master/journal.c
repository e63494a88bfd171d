/*
 * journal: the log's descriptor. A file is followed at a reload, the socket
 * of the system logger every LOOK_MS: its name is a new file when the logger
 * was started again. What processes cannot write meanwhile they keep
 * (lib/log.h). How those who block take the descriptor: lib/daemon_log.c.
 */
#include "master/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/topology.h"

enum { LOOK_MS = 2000 };

static struct timer look;
static struct file_stamp logger; /* the socket that we are connected to */

static enum log_level
level_of(const struct conf *c)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < nitems(names); i++)
		if (strcmp(c->log_level, names[i]) == 0)
			return (enum log_level)i;
	return LL_INFO;
}

/* --- opening ----------------------------------------------------------- */

static int
file_open(const char *path)
{
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
	    0640);
}

static int
logger_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct file_stamp at;

	file_stamp_get(path, &at); /* before: a later one is seen later */
	if (span_copy(sun.sun_path, sizeof(sun.sun_path), span_str(path)) ==
	        -1 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		fd_close(&fd);
		return -1;
	}
	logger = at;
	return fd;
}

/* *same: it is the very file that descriptor 2 is already. */
static int
log_fd_open(const struct conf *c, bool *same)
{
	struct stat now, old;
	int fd;

	*same = false;
	if (conf_syslog(c) != NULL)
		return logger_connect(conf_syslog(c));
	if ((fd = file_open(c->log)) != -1 && fstat(fd, &now) == 0 &&
	    fstat(STDERR_FILENO, &old) == 0)
		*same = now.st_dev == old.st_dev && now.st_ino == old.st_ino;
	return fd;
}

/* 1: there is a new descriptor 2. */
static int
open_again(const struct conf *c)
{
	bool is_file = strcmp(c->log, "stderr") != 0, same = true;
	int fd = -1, rc = 0;

	if (is_file) {
		fd = log_fd_open(c, &same);
		log_flush();
		if (fd == -1 || (!same && dup2(fd, STDERR_FILENO) == -1))
			rc = -1;
		fd_close(&fd);
	}
	log_open(conf_syslog(c) != NULL ? "syslog" : "stderr", "master",
	    level_of(c));
	return rc == 0 && !same ? 1 : rc;
}

int
journal_open(const struct conf *c)
{
	int fd;

	if (open_again(c) != -1)
		return 0;
	if (conf_syslog(c) == NULL)
		return -1;
	/* A socket without a peer keeps its place; lines wait for one. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)dup2(fd, STDERR_FILENO);
	fd_close(&fd);
	return 0;
}

/* --- handing out ------------------------------------------------------- */

static bool
is_blocking(const struct child *c)
{
	return !c->stem &&
	    topology_number(topology_row(c->role), house.now->conf) == 0;
}

/*
 * READY may come before the stem has told us who that is: two channels have no
 * order. And before READY there is no handler yet.
 */
void
journal_child_tell(struct child *c)
{
	if (!c->log_waits || !c->ready || c->pid == 0)
		return;
	assert(c->pid > 1);
	kill(c->pid, SIGUSR1);
	c->log_waits = false;
}

/* Who does not take it goes on with the old one; no reason to end it. */
static void
hand_out(struct child *c)
{
	struct ipc_dir msg = { SPAN("log") };
	struct buf b;
	int rc = 0;

	buf_init(&b, 64);
	ipc_dir_encode(&b, &msg);
	if (c->ipc != NULL)
		rc = ipc_send(
		    c->ipc, IPC_DIR, 0, buf_get(&b), STDERR_FILENO, -1);
	buf_fini(&b);
	if (rc == -1)
		log_msg(LL_WARN, "log", "process %ld keeps the old one: %s",
		    (long)c->pid, strerror(errno));
	else
		c->log_waits = is_blocking(c);
	journal_child_tell(c);
}

static void
hand_out_all(void)
{
	for (struct child *c = children; c != NULL; c = c->next)
		hand_out(c);
}

void
journal_follow(void)
{
	const struct conf *c = house.now->conf;

	switch (open_again(c)) {
	case 1:
		hand_out_all();
		break;
	case -1:
		log_msg(LL_ERROR, "log", "cannot open %s: %s", c->log,
		    strerror(errno));
		break;
	}
}

static void
on_look(struct timer *t)
{
	const char *path = conf_syslog(house.now->conf);
	struct file_stamp at;
	int fd;

	loop_timer(t, LOOK_MS);
	file_stamp_get(path, &at);
	if (file_stamp_eq(&at, &logger) || (fd = logger_connect(path)) == -1)
		return;
	(void)dup2(fd, STDERR_FILENO);
	fd_close(&fd);
	hand_out_all();
}

void
journal_start(void)
{
	if (conf_syslog(house.now->conf) == NULL)
		return; /* nor will it ever be: master/reload.c */
	look.fn = on_look;
	loop_timer(&look, LOOK_MS);
}
