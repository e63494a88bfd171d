/*
 * server: what all sessions of this process share. Set up by main.c before
 * the first client; maps and peers may be replaced later.
 */
#ifndef SMTPD_SERVER_H
#define SMTPD_SERVER_H

#include "lib/conf.h"
#include "lib/resolve.h"
#include "lib/tls.h"

enum guest { /* whom a crowd of the others must not keep out */
	GUEST_STRANGER,
	GUEST_USER,    /* came to a submission port */
	GUEST_TRUSTED, /* by address, or a program of this host */
	GUESTS,
};

struct server {
	const struct conf *conf;
	struct maps maps;
	struct tls_server *tls; /* NULL: no certificate */
	size_t sessions;        /* now */
	size_t guests[GUESTS];  /* of each kind */
	size_t held;            /* bytes of bodies in memory */
	size_t envelopes;       /* and of envelopes */
	bool leaving;           /* no new clients; ends with the last session */
	bool hurried;           /* clients are sent away, too */
};

extern struct server server;

/* A session ended; the last one may be the end of a leaving process. */
void server_left(void);

#endif
