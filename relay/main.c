/*
 * relay: hands mail to other hosts; SMTP and LMTP, many sessions at once.
 *
 * runs as    user-relay, chrooted to an empty directory, sandboxed
 * holds      fd 3 the channel to master, channels to queue and dns, its
 *            connections; the maps tls-policy and relay-passwords; counters
 *            that all relay processes share; of each large message under way
 *            the spool file, read only
 * may touch  the network: TCP connections to other hosts, none from them
 * never      opens a file, listens, runs a program, parses an answer of DNS
 * if owned   the attacker sees the mail that passes through this process and
 *            the passwords for smarthosts, may call mail delivered that was
 *            not, and may connect to whatever this host can reach
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/map.h"
#include "lib/tls.h"
#include "relay/ask.h"
#include "relay/crowd.h"
#include "relay/self.h"
#include "relay/session.h"

struct relay relay;

static struct daemon d;

enum { LAST_MS = 8 * 1000 }; /* for answers to messages that were sent */

void
relay_left(void)
{
	if (relay.leaving && jobs_held() == 0 && relay.sessions == 0)
		loop_stop();
}

static void
on_last(struct timer *t)
{
	(void)t;
	loop_stop();
}

/*
 * After a reload what was begun goes on, and what queue still sends is done.
 * At the end of all only messages past their final dot are waited for: queue
 * has all others.
 */
static void
on_stop(void)
{
	static struct timer last = { .fn = on_last };

	relay.leaving = true;
	session_idle_drop_all();
	if (d.hurry) {
		job_cancel_all();
		loop_timer(&last, LAST_MS);
	}
	relay_left();
}

static void
on_peer(struct daemon_peer *p)
{
	if (p->role == ROLE_QUEUE)
		job_queue(p);
	else if (p->role == ROLE_DNS)
		ask_dns_peer(p);
}

/* Who we are to a server, and what we ask of it, may have changed. */
static void
on_map(const char *name, int fd)
{
	if (strcmp(name, "tls-policy") == 0)
		map_replace(&relay.tls_policy, fd, name);
	else
		map_replace(&relay.passwords, fd, name);
	relay.maps++;
	session_idle_drop_all();
}

/* Authorities and interfaces cannot be looked at from inside the sandbox. */
static void
before_drop(void)
{
	char why[256];

	self_init();
	relay.tls = tls_client_new(d.conf->tls_ca_file, why, sizeof(why));
	if (why[0] == '\0')
		return;
	log_msg(LL_WARN, "tls", "%s; nobody can be verified", why);
	if (d.conf->tls_ca_file[0] != '\0')
		d.flawed = true;
}

int
main(int argc, char **argv)
{
	d.role = ROLE_RELAY;
	d.on_peer = on_peer;
	d.on_map = on_map;
	d.on_stop = on_stop;
	d.on_message = ask_master_message;
	d.before_drop = before_drop;
	daemon_start(&d, argc, argv);

	relay.conf = d.conf;
	ask_init(&d);
	crowd_init(&d);
	if (d.tls_policy_fd != -1)
		on_map("tls-policy", d.tls_policy_fd);
	if (d.relay_passwords_fd != -1)
		on_map("relay-passwords", d.relay_passwords_fd);
	for (size_t i = 0; i < d.npeer; i++)
		on_peer(&d.peer[i]);
	loop_run();
	log_flush();
	return EX_OK;
}
