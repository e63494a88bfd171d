/*
 * sasl: the server side of PLAIN (RFC 4616) and LOGIN
 * (draft-murchison-sasl-login), shared by SMTP, POP3 and IMAP. A fresh
 * object for each attempt (CVE-2011-1720). No I/O: feed it what the client
 * answers, send its challenges base64-encoded.
 */
#ifndef LIB_SASL_H
#define LIB_SASL_H

#include "lib/buf.h"

enum sasl_step {
	SASL_MORE, /* send challenge, feed the answer */
	SASL_DONE, /* authzid, authcid, password are there */
	SASL_BAD,  /* malformed: NUL, empty, too long */
};

struct sasl {
	int mech, state;
	struct buf mem; /* wiped by sasl_free */
	struct span authzid, authcid, password; /* into mem */
	struct span challenge; /* to send, not yet base64 */
};

/* The names this table offers: "PLAIN LOGIN". */
extern const char sasl_mechs[];

/* NULL: mechanism not offered. */
struct sasl *sasl_new(struct span mech);
/* Takes it, if there is one, and wipes it. */
void sasl_free(struct sasl **);
/* What stands behind the mechanism's name; empty: no initial response. */
enum sasl_step sasl_step_first(struct sasl *, struct span arg);
/* response: decoded bytes; NULL: no initial response was given. */
enum sasl_step sasl_step(struct sasl *, const struct span *response);
/* The same from the wire: "=" is empty, "*" is a cancel (SASL_BAD). */
enum sasl_step sasl_step_base64(struct sasl *, struct span line);

#endif
