/*
 * smtpd: takes mail from other hosts, from users, and from programs here.
 *
 * runs as    user-smtp, chrooted to an empty directory, sandboxed
 * holds      listening sockets; its clients; channels to master, queue and
 *            auth; the users and aliases maps and the certificate, mapped or
 *            read before the first client; sometimes a spool file, which it
 *            can only append to
 * never      opens a file or a connection, runs a program, sees a password
 *            hash or a stored message
 * if owned   the attacker sees the mail and the passwords that pass through
 *            this process, may hand mail to the queue, and knows which
 *            addresses exist
 */
#include <stdlib.h>
#include <sysexits.h>

#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/doors.h"
#include "lib/loop.h"
#include "smtpd/peers.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

struct server server;

static struct daemon d;

static void
on_map(const char *name, int fd)
{
	maps_replace(&server.maps, name, fd);
}

void
server_left(void)
{
	if (server.leaving && server.sessions == 0)
		loop_stop();
}

static void
on_stop(void)
{
	doors_close();
	server.leaving = true;
	server.hurried = d.hurry;
	if (d.hurry)
		session_stop_all();
	server_left();
}

static void
on_client(int fd, const struct sockaddr *sa, const void *service)
{
	session_open(fd, sa, service);
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
	daemon_certificates(&d, &server.tls);
}

static void
on_tickets(void)
{
	daemon_tickets(&d, server.tls);
}

int
main(int argc, char **argv)
{
	size_t i;

	d.role = ROLE_SMTPD;
	d.on_peer = peers_set;
	d.on_map = on_map;
	d.on_stop = on_stop;
	d.on_tickets = on_tickets;
	d.prepare = load_certificates;
	daemon_start(&d, argc, argv);

	server.conf = d.conf;
	on_map("users", d.users_fd);
	on_map("aliases", d.aliases_fd);
	on_map("transport", d.transport_fd);
	for (i = 0; i < d.npeer; i++)
		peers_set(&d.peer[i]);
	doors_open(&d, &doors);
	loop_run();
	return EX_OK;
}
