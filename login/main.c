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

#include "lib/daemon.h"
#include "lib/doors.h"
#include "lib/loop.h"
#include "login/ask.h"
#include "login/front.h"

struct front front;

static struct daemon d;

void
front_left(void)
{
	if (front.leaving && front.clients == 0)
		loop_stop();
}

static void
on_stop(void)
{
	doors_close();
	front.leaving = true;
	front.hurried = d.hurry;
	if (d.hurry)
		client_stop_all();
	front_left();
}

static void
on_client(int fd, const struct sockaddr *sa, const void *service)
{
	client_open(fd, sa, service);
}

static const void *
find(const char *name)
{
	return service_find(name);
}

static const struct doors_ops doors = { find, on_client };

static void
load_certificates(void)
{
	daemon_certificates(&d, &front.tls);
}

static void
on_tickets(void)
{
	daemon_tickets(&d, front.tls);
}

int
main(int argc, char **argv)
{
	size_t i;

	d.role = ROLE_LOGIN;
	d.on_peer = ask_peer;
	d.on_stop = on_stop;
	d.on_tickets = on_tickets;
	d.prepare = load_certificates;
	daemon_start(&d, argc, argv);

	front.conf = d.conf;
	for (i = 0; i < d.npeer; i++)
		ask_peer(&d.peer[i]);
	doors_open(&d, &doors);
	loop_run();
	return EX_OK;
}
