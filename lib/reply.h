/*
 * reply: what a sender is told; the second kind of error. smtpd prints it,
 * the queue stores it, the bounce quotes it.
 */
#ifndef LIB_REPLY_H
#define LIB_REPLY_H

#include "lib/span.h"

struct reply {
	int code;             /* 200..599, RFC 5321 4.2 */
	const char *enhanced; /* "5.1.1", RFC 3463; "" if none */
	const char *text;     /* one line; lines of a multi-line split by \n */
};

/* Handler's answer: "nothing yet, somebody else must be asked first". */
extern const struct reply R_PENDING;

/* Owned, bounded copy: what a worker or a remote server said. */
struct reply_copy {
	int code;
	char enhanced[12];
	char text[512]; /* safe text (buf_safe), terminated */
};

/* Takes the parts over, made safe and cut to fit. */
void reply_set(struct reply_copy *r, int code, const char *enhanced,
    struct span text);

static inline bool
reply_is_permanent(int code)
{
	return code >= 500;
}

#endif
