/*
 * daemon_tls: certificates and ticket keys of a daemon that speaks TLS with
 * clients. Apart from lib/daemon.c, so that nobody else is linked with TLS.
 */
#include "lib/daemon.h"

#include <string.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/tls.h"

void
daemon_certificates(struct daemon *d, struct tls_server **tls)
{
	char why[256];
	int rc;

	for (size_t i = 0; i < d->ncert; i++) {
		rc = tls_server_add(tls, d->cert[i].cert_fd, d->cert[i].key_fd,
		    why, sizeof(why));
		if (rc == -1)
			d->flawed = true;
		if (why[0] != '\0')
			log_msg(rc == -1 ? LL_ERROR : LL_WARN, "tls",
			    "certificate %zu: %s", i + 1, why);
		fd_close(&d->cert[i].cert_fd);
		fd_close(&d->cert[i].key_fd);
	}
	daemon_tickets(d, *tls);
}

void
daemon_tickets(struct daemon *d, struct tls_server *tls)
{
	if (tls != NULL && d->has_tickets)
		tls_server_tickets(tls, d->tickets);
	explicit_bzero(d->tickets, sizeof(d->tickets));
	d->has_tickets = false;
}
