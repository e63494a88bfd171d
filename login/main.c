/*
 * login: what stands before a mailbox: TLS, names and passwords.
 *
 * runs as    user-login, chrooted to an empty directory, sandboxed
 * holds      listening sockets; its clients; channels to master and auth;
 *            for a session under TLS one end of a pair, pop3d has the other
 * never      opens a file or a connection, runs a program, sees a password
 *            hash; it cannot ask master for a session, only auth can
 * if owned   the attacker sees the passwords and the mail that pass through
 *            this process; no mailbox opens without its password
 */
#include <stdlib.h>
#include <sysexits.h>

#include "lib/accept.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/loop.h"
#include "lib/tally.h"
#include "login/ask.h"
#include "login/front.h"

struct front front;

static struct daemon d;
static struct accept doors[DAEMON_LISTEN_MAX];

void
front_left(void)
{
	if (front.leaving && front.clients == 0)
		loop_stop();
}

static void
on_stop(void)
{
	size_t i;

	for (i = 0; i < d.nlisten; i++)
		accept_close(&doors[i]);
	front.leaving = true;
	front.hurried = d.hurry;
	if (d.hurry)
		client_stop_all();
	front_left();
}

static void
on_client(struct accept *a, int fd, const struct sockaddr *sa)
{
	client_open(fd, sa, a->arg);
}

static void
open_doors(void)
{
	const struct service *service;
	size_t i;

	for (i = 0; i < d.nlisten; i++) {
		service = service_find(d.listen[i].service);
		if (service == NULL)
			die("unknown service %s", d.listen[i].service);
		if (accept_open(&doors[i], d.listen[i].fd, on_client,
			(void *)(uintptr_t)service) == -1)
			die("cannot watch %s", d.listen[i].address);
	}
}

static void
load_certificates(void)
{
	daemon_certificates(&d, &front.tls);
}

int
main(int argc, char **argv)
{
	size_t i;

	d.role = ROLE_LOGIN;
	d.on_peer = ask_peer;
	d.on_stop = on_stop;
	d.prepare = load_certificates;
	daemon_start(&d, argc, argv);

	front.conf = d.conf;
	if (d.tally_fd != -1 && tally_open(d.tally_fd, d.index, d.count) == -1)
		die("shared counters");
	for (i = 0; i < d.npeer; i++)
		ask_peer(&d.peer[i]);
	open_doors();
	loop_run();
	return EX_OK;
}
