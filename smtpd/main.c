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
#include <string.h>
#include <sysexits.h>

#include "lib/accept.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/loop.h"
#include "lib/tally.h"
#include "smtpd/peers.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

struct server server;

static struct daemon d;
static struct accept doors[DAEMON_LISTEN_MAX];

static void
on_map(const char *name, int fd)
{
	if (strcmp(name, "users") == 0)
		map_replace(&server.maps.users, fd, name);
	else if (strcmp(name, "aliases") == 0)
		map_replace(&server.maps.aliases, fd, name);
	else if (strcmp(name, "transport") == 0)
		map_replace(&server.maps.transport, fd, name);
	else
		fd_close(&fd);
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
	size_t i;

	for (i = 0; i < d.nlisten; i++)
		accept_close(&doors[i]);
	server.leaving = true;
	server.hurried = d.hurry;
	if (d.hurry)
		session_stop_all();
	server_left();
}

static void
on_client(struct accept *a, int fd, const struct sockaddr *sa)
{
	session_open(fd, sa, a->arg);
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
	daemon_certificates(&d, &server.tls);
}

int
main(int argc, char **argv)
{
	size_t i;

	d.role = ROLE_SMTPD;
	d.on_peer = peers_set;
	d.on_map = on_map;
	d.on_stop = on_stop;
	d.prepare = load_certificates;
	daemon_start(&d, argc, argv);

	server.conf = d.conf;
	if (d.tally_fd != -1 &&
	    tally_open(d.tally_fd, d.index, d.count) == -1)
		die("shared counters");
	if (d.users_fd != -1)
		map_replace(&server.maps.users, d.users_fd, "users");
	if (d.aliases_fd != -1)
		map_replace(&server.maps.aliases, d.aliases_fd, "aliases");
	if (d.transport_fd != -1)
		map_replace(&server.maps.transport, d.transport_fd,
		    "transport");
	for (i = 0; i < d.npeer; i++)
		peers_set(&d.peer[i]);
	open_doors();
	loop_run();
	return EX_OK;
}
