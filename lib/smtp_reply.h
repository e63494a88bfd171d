/*
 * smtp_reply: what other servers answer, RFC 5321 4.2.1; the reading side of
 * lib/reply.h. One line after the other goes in; a whole reply comes out.
 *
 *	Reply = *( code "-" [ text ] ) code [ SP [ text ] ]
 *
 * The text is kept as it came, any bytes, up to RELAY_REPLY_MAX of them (the
 * rest of a longer one is passed over): who shows it makes it safe.
 */
#ifndef LIB_SMTP_REPLY_H
#define LIB_SMTP_REPLY_H

#include "lib/buf.h"

struct smtp_reply {
	int code;          /* 200..599; 0: no line yet */
	unsigned lines;
	bool cut;          /* the text was longer than what is kept */
	char enhanced[12]; /* "5.1.1", RFC 2034 4: of the first line, if it
			    * fits the code; else "" */
	struct buf text;   /* without codes; LF between lines */
};

enum smtp_reply_got {
	REPLY_MORE,  /* the line was not the last */
	REPLY_WHOLE,
	REPLY_BAD,   /* no reply: nothing after it makes sense */
};

void smtp_reply_init(struct smtp_reply *);
void smtp_reply_fini(struct smtp_reply *);
void smtp_reply_clear(struct smtp_reply *); /* for the next one */
/* line: without CR LF. */
enum smtp_reply_got smtp_reply_line(struct smtp_reply *, struct span line);

#endif
