/*
 * content: what the bytes of a message ask of whoever carries them: eight
 * bits a byte (RFC 6152), lines over 998 octets (RFC 5321 4.5.3.1.6). One
 * fast look, in pieces.
 */
#ifndef LIB_CONTENT_H
#define LIB_CONTENT_H

#include "lib/span.h"

struct content { /* zeroed is the start */
	bool eight_bit; /* a byte over 127 */
	bool long_line; /* over SMTP_TEXT_LINE_MAX octets, LF apart */
	size_t column;  /* of the line that goes on in the next piece */
};

bool content_eight_bit(struct span);
/* The next piece, LF lines. */
void content_scan(struct content *, struct span piece);

static inline struct content
content_of(struct span message)
{
	struct content c = { .column = 0 };

	content_scan(&c, message);
	return c;
}

#endif
