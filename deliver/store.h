/*
 * store: message files, written in a batch and made durable together.
 *
 *	store_add() any number of times; store_commit(); then each outcome
 *	says what became of it.
 */
#ifndef DELIVER_STORE_H
#define DELIVER_STORE_H

#include <sys/types.h>

#include "lib/limits.h"
#include "lib/span.h"

/* What the queue is told about one recipient. */
struct outcome {
	uint64_t qid;
	uint32_t index;
	int code;             /* 250, 4xx, 5xx; 0: not yet decided */
	const char *enhanced;
	char text[400];       /* terminated, safe text */
};

/* A message's bytes, LF lines. */
struct body {
	int fd;               /* -1: head is all of it */
	uint64_t offset;      /* in fd */
	uint64_t size;
	struct span head;     /* its first bytes, at most STORE_CHUNK */
};

enum { STORE_CHUNK = SMTP_HEADER_MAX };

/* host: goes into file names. */
void store_init(const char *host);

/*
 * Writes one copy: trace (header lines to stand before the message), then
 * the body. If that fails *out is decided at once; else by store_commit(),
 * until when out is borrowed. Commits by itself when the batch is full.
 */
void store_add(struct span mailbox, int64_t arrived, uint64_t qid,
    uint32_t index, struct span trace, const struct body *body,
    struct outcome *out);
void store_commit(void);

/* Fills *out from an errno that came while working on mailbox. */
void outcome_errno(struct outcome *out, int errnum, struct span mailbox);
void outcome_set(struct outcome *out, int code, const char *enhanced,
    const char *text);

/*
 * Reads min(cap, what is left) bytes of the body, from its byte `at` on, into
 * p. How many, or -1 and errno (EIO: the file is shorter than size says).
 */
ssize_t body_read(const struct body *b, uint64_t at, char *p, size_t cap);

#endif
