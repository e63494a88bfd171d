/*
 * verb_start: start, stop, reload, status, topology. Master does the work.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/maps.h"
#include "lib/limits.h"

enum {
	STOP_WAIT = 600,       /* s; sessions may end what they are at */
	STOP_LOOK = 20,        /* ms */
};

static int
master_exec(struct ctl *c, bool foreground)
{
	static char name[] = "master", opt_c[] = "-c", opt_f[] = "-F";
	char path[PATH_LEN_MAX], conf[PATH_LEN_MAX];
	char *argv[] = { name, opt_c, conf, foreground ? opt_f : NULL, NULL };

	if (ctl_path(path, c->conf->libexec_dir, "master") == -1 ||
	    span_copy(conf, sizeof(conf), span_str(c->conf_path)) == -1)
		return ctl_fail(EX_CONFIG, "a path is too long");
	argv[0] = path; /* ps(1) then shows which one it is */
	execv(path, argv);
	return ctl_fail(EX_OSFILE, "%s: %s; is libexec-dir right?", path,
	    strerror(errno));
}

static void
listeners_print(const struct ctl *c)
{
	char path[PATH_LEN_MAX], line[256];
	FILE *f;

	if (ctl_path(path, c->conf->run_dir, "listeners") == -1 ||
	    (f = fopen(path, "re")) == NULL)
		return;
	puts("Postern is up.");
	while (fgets(line, sizeof(line), f) != NULL)
		printf("  %s", line);
	fclose(f);
}

int
verb_start(struct ctl *c, int argc, char **argv)
{
	int rc, status = 0;
	pid_t pid;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "-f") != 0))
		return ctl_usage("start: what is \"%s\"?", argv[1]);
	if (talk_is_up(c))
		return ctl_fail(EX_TEMPFAIL, "Postern is already running, "
		    "process %ld", ctl_pid(c));
	if ((rc = maps_renew(c)) != EX_OK)
		return rc;
	if (argc == 2)
		return master_exec(c, true);
	fflush(stdout);
	if ((pid = fork()) == -1)
		return ctl_fail(EX_OSERR, "fork: %s", strerror(errno));
	if (pid == 0)
		_exit(master_exec(c, false));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return ctl_fail(EX_OSERR, "wait: %s",
			    strerror(errno));
	if (!WIFEXITED(status))
		return ctl_fail(EX_SOFTWARE, "master was killed by signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) == EX_OK)
		listeners_print(c);
	return WEXITSTATUS(status);
}

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

int
verb_stop(struct ctl *c, int argc, char **argv)
{
	long pid = ctl_pid(c);
	int rc;

	if (argc != 1)
		return ctl_usage("stop: what is \"%s\"?", argv[1]);
	if ((rc = talk(c, ROLE_MASTER, argc, argv, NULL, false)) != EX_OK)
		return rc;
	/* It ends last of all, so when it is gone, all are. */
	for (long left = STOP_WAIT * 1000; pid > 0 && left > 0;
	    left -= STOP_LOOK) {
		if (kill((pid_t)pid, 0) == -1 && errno == ESRCH)
			return EX_OK;
		pause_ms(STOP_LOOK);
	}
	return pid <= 0 ? EX_OK : ctl_fail(EX_TEMPFAIL, "process %ld is still "
	    "there after %d s; postern status tells what it waits for", pid,
	    STOP_WAIT);
}

int
verb_reload(struct ctl *c, int argc, char **argv)
{
	if (argc != 1)
		return ctl_usage("reload: what is \"%s\"?", argv[1]);
	return talk(c, ROLE_MASTER, argc, argv, NULL, false);
}

int
verb_topology(struct ctl *c, int argc, char **argv)
{
	return talk(c, ROLE_MASTER, argc, argv, NULL, false);
}

int
verb_status(struct ctl *c, int argc, char **argv)
{
	static char count[] = "count";
	char *ask[] = { count, NULL };
	struct buf n;
	int rc;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") != 0 &&
		    strcmp(argv[i], "--processes") != 0)
			return ctl_usage("status: what is \"%s\"?", argv[i]);
	rc = talk(c, ROLE_MASTER, argc, argv, NULL, false);
	if (argc > 1 || rc == EX_UNAVAILABLE)
		return rc;
	buf_init(&n, 4096);
	switch (talk(c, ROLE_QUEUE, 1, ask, &n, true)) {
	case EX_OK:
		if (!n.bad)
			printf("waiting  %.*s", (int)n.n, n.p);
		break;
	case EX_TEMPFAIL:
		printf("waiting  ?  (the queue does not answer)\n");
		break;
	}
	buf_fini(&n);
	return rc;
}
