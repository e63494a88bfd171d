/*
 * body: a job's message on its way out: read in blocks, lines in CR LF,
 * framed; and recoded (lib/recode.h) where the server would not take it as it
 * is: 8-bit for one without 8BITMIME (RFC 6152), lines over 998 octets for
 * anyone (RFC 5321 4.5.3.1.6).
 */
#ifndef RELAY_BODY_H
#define RELAY_BODY_H

#include "lib/content.h"
#include "lib/recode.h"
#include "lib/smtp_data.h"

struct job;

struct body { /* of a job; zeroed is the start */
	bool looked;            /* content and octets are set */
	struct content content; /* as it came */
	uint64_t octets;        /* likewise, on the wire; a lower bound */
	bool planned;           /* recode is set, for that content: */
	bool eight_bit;         /* ... 8-bit was to go */
	bool recoded;           /* ... and it changes something */
	struct recode recode;
	uint64_t sent;          /* bytes of the body, as it is in the file */
	struct smtp_data_out framing;
};

/* From its first byte on, to a server with or without 8BITMIME. */
void body_begin(struct job *, bool eight_bit_ok);
/* What SIZE (RFC 1870) says of it. */
uint64_t body_octets(const struct job *);
/* Are there bytes over 127 in what is sent? */
bool body_is_eight_bit(const struct job *);
/* For the log: what was done to it, what could not be; "": nothing. */
const char *body_note(const struct job *);
/*
 * Replaces *wire by the next block, the last with the final dot: *last. Leaves
 * at once: twice RELAY_BLOCK and SMTP_LINE_MAX. false: our file cannot be
 * read; nothing of it must look like a message.
 */
bool body_more(struct job *, struct buf *wire, bool *last);
void body_fini(struct body *);

#endif
