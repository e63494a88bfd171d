/* accept: clients come one by one, and out of descriptors is not the end. */
#include "lib/accept.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/os_loop.h"
#include "t/unit/tap.h"
#include "t/unit/turns.h"

enum { CLIENTS = 3, MANY = 20 };

static int taken[16], ntaken;
static char from[HOST_MAX];

static void
on_client(struct accept *a, int fd, const struct sockaddr *sa)
{
	(void)a;
	accept_address(sa, from);
	taken[ntaken++] = fd;
}

static int
listen_somewhere(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(fd, (struct sockaddr *)sin, sizeof(*sin)) == -1 ||
	    listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)sin, &len) == -1)
		die("listen");
	return fd;
}

static int
client(const struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) == -1)
		die("connect");
	return fd;
}

/* The lowest that is free: if it is the limit, there is none. */
static rlim_t
free_descriptor(void)
{
	int fd = dup(0);

	if (fd == -1)
		die("dup");
	close(fd);
	return (rlim_t)fd;
}

/* --- two processes at one door ----------------------------------------- */

static char me; /* which of them */
static int started;

static void
on_shared_client(struct accept *a, int fd, const struct sockaddr *sa)
{
	(void)a;
	(void)sa;
	if (write(fd, &me, 1) != 1)
		_exit(1);
	close(fd);
}

static void
on_start(struct timer *t)
{
	(void)t;
	if (write(started, &me, 1) != 1)
		_exit(1);
}

static pid_t
server(int fd, char name)
{
	struct timer start = { .fn = on_start };
	struct accept a;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	me = name;
	loop_init();
	if (accept_open(&a, fd, on_shared_client, NULL) == -1)
		_exit(1);
	loop_timer(&start, 0);
	loop_run();
	_exit(0);
}

static int
listen_at(struct sockaddr_un *sun)
{
	char dir[] = "/tmp/accept.XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (mkdtemp(dir) == NULL)
		die("%s", dir);
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/s", dir);
	if (bind(fd, (struct sockaddr *)sun, sizeof(*sun)) == -1 ||
	    listen(fd, 16) == -1)
		die("listen");
	return fd;
}

/* By whom is one client taken? */
static char
taker(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char who = 0;

	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == -1 ||
	    read(fd, &who, 1) != 1)
		die("connect");
	close(fd);
	return who;
}

/* Until it sleeps: else it is passed over. Where that cannot be seen, go on. */
static void
await_sleep(pid_t pid)
{
	char path[64], state = 'S';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	do {
		if ((f = fopen(path, "r")) == NULL)
			return;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'S';
		fclose(f);
	} while (state != 'S');
}

/*
 * Clients come one by one, and both sleep each time; how many either gets may
 * depend on the host, but neither gets all that come after its first ones.
 */
static void
test_shared(void)
{
	enum { ENOUGH = 50, MOST = 2000 };
	struct sockaddr_un sun;
	int fd = listen_at(&sun), p[2], n[2] = { 0, 0 };
	pid_t pid[2];
	char c;

	if (pipe(p) == -1)
		die("pipe");
	started = p[1];
	pid[0] = server(fd, 0);
	pid[1] = server(fd, 1);
	if (read(p[0], &c, 1) != 1 || read(p[0], &c, 1) != 1)
		die("servers");
	for (int i = 0; i < MOST && (n[0] < ENOUGH || n[1] < ENOUGH); i++) {
		await_sleep(pid[0]);
		await_sleep(pid[1]);
		n[taker(&sun) != 0]++;
	}
	ok(n[0] >= ENOUGH && n[1] >= ENOUGH, "two processes share clients");
	for (int i = 0; i < 2; i++) {
		assert(pid[i] > 1);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	close(p[0]);
	close(p[1]);
	close(fd);
	unlink(sun.sun_path);
	*strrchr(sun.sun_path, '/') = '\0';
	rmdir(sun.sun_path);
}

int
main(void)
{
	struct rlimit was, few;
	struct sockaddr_in sin;
	struct accept a;
	int c[CLIENTS], fd, last, log_fd, i;
	off_t size;
	char name[] = "/tmp/accept.XXXXXX";

	test_shared();
	/* What it says in the log is looked at. */
	if ((log_fd = mkstemp(name)) == -1 || dup2(log_fd, 2) == -1)
		die("%s", name);
	unlink(name);
	loop_init();
	fd = listen_somewhere(&sin);
	ok(accept_open(&a, fd, on_client, NULL) == 0, "a door opens");
	for (i = 0; i < CLIENTS; i++)
		c[i] = client(&sin);
	turns(CLIENTS, 0);
	ok(ntaken == CLIENTS, "clients are taken");
	ok(strcmp(from, "127.0.0.1") == 0, "and known by address");
	ok((fcntl(taken[0], F_GETFL) & O_NONBLOCK) != 0,
	    "their sockets do not block");

	for (i = 0; i < MANY; i++) {
		fd = client(&sin);
		turns(1, 0);
		fd_close(&fd);
		fd_close(&taken[--ntaken]);
	}
	ok(ntaken == CLIENTS, "also when it steps back for other processes");
	/* No other process is woken for a client that woke this one. */
	last = client(&sin);
	fd = client(&sin);
	getrlimit(RLIMIT_NOFILE, &was);
	few = (struct rlimit){ .rlim_cur = free_descriptor(),
		.rlim_max = was.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	turns(3, 0);
	log_flush();
	size = lseek(log_fd, 0, SEEK_END);
	ok(ntaken == CLIENTS + 1 && size > 0,
	    "out of descriptors it takes the one client, and says so");
	loop_skip(1000);
	turns(3, 0);
	log_flush();
	ok(lseek(log_fd, 0, SEEK_END) == size, "once");
	setrlimit(RLIMIT_NOFILE, &was);
	turns(3, 0);
	ok(ntaken == CLIENTS + 1, "rests meanwhile");
	loop_skip(1000);
	turns(3, 0);
	ok(ntaken == CLIENTS + 2, "and goes on by itself");
	accept_close(&a);
	accept_close(&a);
	turns(1, 0);
	ok(a.watch.fd == -1, "a door closes, once");
	fd_close(&fd);
	fd_close(&last);
	for (i = 0; i < CLIENTS; i++)
		fd_close(&c[i]);
	for (i = 0; i < ntaken; i++)
		fd_close(&taken[i]);
	loop_fini();
	return done();
}
