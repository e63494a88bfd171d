/*
 * envelope: what a message travels in; in IPC (lib/ipc_mail.c) and in the
 * spool file (lib/spool.c) alike. RFC 5321 2.3.1.
 */
#ifndef LIB_ENVELOPE_H
#define LIB_ENVELOPE_H

#include "lib/limits.h"
#include "lib/span.h"

struct envelope {
	int64_t arrived;      /* seconds since the epoch */
	struct span sender;   /* "a@b", canonical (lib/addr.h); empty: <> */
	struct span sid;      /* session id that brought it */
	struct span client;   /* "192.0.2.1", or "local" */
	struct span helo;     /* as given, safe text */
	struct span protocol; /* "ESMTPSA" and so on, RFC 3848 */
	struct span login;    /* authenticated name; empty: none */
	uint32_t flags;       /* ENV_* */
	size_t nrcpt;
	struct span rcpt[SMTP_RCPT_MAX]; /* canonical, as accepted at RCPT */
};

enum {
	ENV_8BITMIME = 1, /* BODY=8BITMIME was given */
	ENV_BOUNCE = 2,   /* made here: a DSN */
	ENV_DOUBLE = 4,   /* a double bounce: never bounced again */
};

#endif
