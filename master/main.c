/*
 * master: makes all other processes, and sees to it that they live.
 *
 * runs as    root, to bind low ports and to become other users; or as
 *            anybody, for a whole house of one user on high ports
 * holds      listening sockets, maps, certificates, a channel to each child
 * never      reads a byte from the network; parses its configuration and
 *            its children's messages only
 * if owned   all is owned: so it does little, and believes nobody
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/os.h"
#include "master/child.h"
#include "master/ctl.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/journal.h"
#include "master/listen.h"
#include "master/maps.h"
#include "master/place.h"
#include "master/reload.h"
#include "master/tickets.h"

enum { REASONS_MAX = 64 * 1024, DESCRIPTORS = 65536, LISTEN_TRIES = 30 };

static const char usage_text[] =
    "usage: master [-F] [-c FILE] [-R FD]\n"
    "  -F       stay in the foreground\n"
    "  -c FILE  the configuration; by default %s\n"
    "  -R FD    write \"ok\" to this descriptor when all is up\n";

struct options {
	const char *conf;
	bool foreground;
	int ready_fd;
};

static _Noreturn void
usage(int status)
{
	fprintf(status == 0 ? stdout : stderr, usage_text, conf_default_path);
	exit(status);
}

static struct options
options_read(int argc, char **argv)
{
	struct options o = { conf_default_path, false, -1 };
	uint64_t n;
	int opt;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		usage(EX_OK);
	while ((opt = getopt(argc, argv, "Fc:R:")) != -1) {
		switch (opt) {
		case 'F':
			o.foreground = true;
			break;
		case 'c':
			o.conf = optarg;
			break;
		case 'R':
			if (span_num(span_str(optarg), 3, 1000, &n) == -1)
				usage(EX_USAGE);
			o.ready_fd = (int)n;
			break;
		default:
			usage(EX_USAGE);
		}
	}
	if (optind != argc)
		usage(EX_USAGE);
	return o;
}

/* Nothing of who called us: descriptors, environment, limits, directory. */
static void
surroundings_clean(struct options *o)
{
	static char path_conf[PATH_MAX];
#ifndef SANITIZED /* sanitizers are told through it */
	static char *no_environment[] = { NULL };
#endif
	struct rlimit r;
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1 && fd <= 2)
		; /* 0, 1 and 2 shall exist */
	fd_close(&fd);
	if (o->ready_fd != -1) { /* to 3, then all others go */
		if (o->ready_fd != 3 && dup2(o->ready_fd, 3) == -1)
			usage(EX_USAGE);
		o->ready_fd = 3;
		(void)fcntl(3, F_SETFD, FD_CLOEXEC);
		os_close_from(4);
	} else {
		os_close_from(3);
	}
	if (realpath(o->conf, path_conf) != NULL)
		o->conf = path_conf;
#ifndef SANITIZED
	environ = no_environment;
#endif
	umask(022);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		if (geteuid() == 0 && r.rlim_max < DESCRIPTORS)
			r.rlim_max = DESCRIPTORS;
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
	if (chdir("/") == -1)
		die("cannot enter /");
}

static _Noreturn void
refuse(int status, struct buf *err)
{
	const char *text = buf_cstr(err);

	fputs(
	    text == NULL || text[0] == '\0' ? "cannot start\n" : text, stderr);
	exit(status);
}

/*
 * Into the background: the caller's command ends when the house is up, or
 * with the status with which it failed.
 */
static void
background(struct options *o)
{
	char answer[8];
	int pair[2], status = EX_UNAVAILABLE;
	ssize_t n;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		die("cannot go into the background");
	if (pid != 0) {
		close(pair[1]);
		while ((n = read(pair[0], answer, sizeof(answer))) == -1 &&
		    errno == EINTR)
			;
		if (n > 0 && o->ready_fd != -1)
			(void)!write(o->ready_fd, "ok\n", 3);
		if (n <= 0)
			fprintf(stderr,
			    "master: did not start; see the "
			    "log\n");
		_exit(n > 0 ? EX_OK : status);
	}
	close(pair[0]);
	fd_close(&o->ready_fd);
	o->ready_fd = pair[1];
	setsid();
}

static void
stdio_detach(bool keep_errors)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1)
		die("cannot open /dev/null");
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (!keep_errors)
		dup2(fd, STDERR_FILENO);
	fd_close(&fd);
}

static void
on_hup(int signo)
{
	(void)signo;
	reload_begin(NULL, NULL);
}

static void
on_usr1(int signo)
{
	(void)signo;
	journal_follow();
}

static void
on_term(int signo)
{
	(void)signo;
	house_stop(EX_OK);
}

static void
flush_log(void *arg)
{
	(void)arg;
	log_flush();
}

/*
 * After a crash of master the processes of the last house may still be on
 * their way out, with their listening sockets: a few seconds are theirs.
 */
static int
listen_first(const struct conf *c, struct buf *err)
{
	const struct timespec wait = { .tv_nsec = 100 * 1000 * 1000 };

	for (int i = 0; i < LISTEN_TRIES; i++) {
		buf_clear(err);
		if (listen_plan(c, err) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
		nanosleep(&wait, NULL);
	}
	return -1;
}

static struct generation *
generation_first(const struct options *o)
{
	struct generation *g = NULL;
	struct conf *conf;
	struct buf err;

	buf_init(&err, REASONS_MAX);
	house.conf_path = o->conf;
	house.privileged = geteuid() == 0;
	if ((conf = conf_read(o->conf, &err)) == NULL)
		refuse(EX_CONFIG, &err);
	if ((g = generation_new(conf, house.privileged, &err)) == NULL)
		refuse(EX_CONFIG, &err);
	if (place_dirs(g, &err) == -1)
		refuse(EX_CANTCREAT, &err);
	if (place_pid_lock(g->conf, &err) == -1)
		refuse(EX_TEMPFAIL, &err);
	if (listen_first(g->conf, &err) == -1) {
		place_pid_remove(g->conf);
		refuse(EX_OSERR, &err);
	}
	listen_commit();
	buf_fini(&err);
	return g;
}

static void
loop_prepare(void)
{
	loop_init();
	signal(SIGPIPE, SIG_IGN);
	loop_signal(SIGCHLD, child_reap);
	loop_signal(SIGHUP, on_hup);
	loop_signal(SIGUSR1, on_usr1);
	loop_signal(SIGTERM, on_term);
	loop_signal(SIGINT, on_term);
	loop_each_turn(flush_log, NULL);
}

int
main(int argc, char **argv)
{
	struct options o = options_read(argc, argv);

	surroundings_clean(&o);
	house.now = generation_first(&o);
	if (!house.privileged)
		fprintf(stderr,
		    "postern: unprivileged: all daemons run as "
		    "uid %lu, with no change of user or root\n",
		    (unsigned long)geteuid());
	if (!o.foreground)
		background(&o);
	house.ready_fd = o.ready_fd;
	place_pid_write();
	if (journal_open(house.now->conf) == -1)
		die("cannot open the log %s", house.now->conf->log);
	loop_prepare();
	maps_start();
	stdio_detach(o.foreground || strcmp(house.now->conf->log, "stderr") != 0);
	if (house.privileged && os_capabilities_limit() == -1)
		die("cannot give up capabilities");
	ctl_start();
	tickets_init();
	journal_start();
	house_start();
	loop_run();
	listen_close(house.now->conf);
	place_pid_remove(house.now->conf);
	log_msg(LL_INFO, "stop", "stopped");
	log_flush();
	return house.status;
}
