/*
 * message: what sendmail(8) does to a message before it hands it in: reads
 * it, takes recipients from its header, adds what RFC 5322 3.6 wants.
 */
#ifndef CTL_MESSAGE_H
#define CTL_MESSAGE_H

#include "lib/buf.h"

struct message {
	struct buf raw;  /* as read: LF lines, no NUL */
	struct buf text; /* ready to send */
};

struct message_options {
	bool dot_ends;      /* a line with only a dot ends the input */
	bool from_header;   /* -t */
	const char *sender; /* address for From, if there is none */
	const char *name;   /* full name for it, or NULL */
	const char *host;   /* for Message-ID */
};

/* Reads standard input. Exit status of sysexits(3), told on error. */
int message_read(struct message *, size_t max, bool dot_ends);
/*
 * Builds text from raw. With from_header each recipient is given to found,
 * as written between the brackets.
 */
void message_build(struct message *, const struct message_options *,
    void (*found)(void *arg, struct span address), void *arg);
void message_fini(struct message *);

/*
 * Calls found for each address of an address-list (RFC 5322 3.4): names,
 * comments, groups and folds are left out. Linear, no depth.
 */
void message_addresses(struct span list,
    void (*found)(void *arg, struct span address), void *arg);

#endif
