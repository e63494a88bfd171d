/*
 * hops: counts the Received fields of a message that passes by in pieces,
 * RFC 5321 6.3. Needs no memory of the message, so a header of any size is
 * looked at whole, up to SMTP_HEADER_MAX.
 */
#ifndef LIB_HOPS_H
#define LIB_HOPS_H

#include "lib/span.h"

struct hops { /* zeroed is the start */
	unsigned count;
	uint32_t column; /* bytes of this line that look like the name */
	bool other;      /* this line is something else */
	bool ended;      /* the header is over */
	uint64_t seen;
};

/* The next piece, LF lines. */
void hops_scan(struct hops *, struct span piece);

#endif
