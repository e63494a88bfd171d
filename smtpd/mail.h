/*
 * mail: one transaction, from MAIL to the answer after the final dot. Lives
 * on the heap only that long, so an idle session is small.
 */
#ifndef SMTPD_MAIL_H
#define SMTPD_MAIL_H

#include "lib/buf.h"
#include "lib/envelope.h"
#include "lib/hops.h"
#include "lib/reply.h"
#include "lib/smtp_data.h"

struct session;

struct mail_place { /* of an address in text, which may move */
	uint32_t at, n;
};

struct mail {
	/* The envelope */
	struct buf text; /* addresses, one behind the other */
	struct mail_place sender;
	struct mail_place *rcpt;
	size_t nrcpt, cap;
	size_t envelope;   /* bytes of this; counted in server.envelopes */
	bool full;         /* a recipient was refused for its number: logged */
	uint32_t flags;    /* ENV_* */
	uint64_t declared; /* SIZE=, 0: not told */

	/* The body: trace header, message; in memory or on its way to a file */
	struct smtp_data framing;
	struct hops hops;
	struct buf body;
	size_t id_at;      /* of the id in its Received */
	size_t held;       /* counted in server.held */
	uint64_t progress; /* bytes at the start of this time window */
	uint64_t wire;     /* bytes that came */
	const struct reply *fail; /* to be said after the true end */
	int64_t arrived;
	/* Large ones */
	int fd;            /* the spool file; -1: none */
	uint64_t qid, size; /* its id, bytes written */
	uint32_t crc;
	unsigned queue_since; /* which queue process gave it */
	bool submitted;    /* the queue has been asked to store it */
	struct reply told; /* the queue's own words, if it is fail */
	struct reply_copy copy;
};

struct mail *mail_new(struct span sender);
void mail_free(struct mail *); /* NULL is fine */
void mail_add_rcpt(struct mail *, struct span rcpt);
struct span mail_sender(const struct mail *);
struct span mail_rcpt(const struct mail *, size_t i);

/* The envelope as the queue wants it; spans borrow from m and s. */
void mail_envelope(const struct mail *, const struct session *,
    struct envelope *);

/* "SMTP", "ESMTPSA": RFC 3848. */
const char *mail_protocol(const struct session *);

#endif
