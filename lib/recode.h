/*
 * recode: a message that a server would not take as it is, eight bits a byte
 * (RFC 6152) or lines over 998 octets, with the parts concerned in another
 * Content-Transfer-Encoding. What every part decodes to stays the same.
 *
 *	recode_init(&r, message, eight_bit);      all of it, for a moment
 *	while (more of the message)
 *		recode_bytes(&r, piece, enough, &out);
 *	recode_end(&r, &out);
 *	recode_again(&r);                         for the next time
 *	recode_fini(&r);
 *
 * Left as it is: what multipart/signed covers (RFC 1847 2.1), header fields
 * but for folds where there is a blank, types that may not be encoded (RFC
 * 2046 5.2), encodings that are not known, and long lines under DKIM.
 */
#ifndef LIB_RECODE_H
#define LIB_RECODE_H

#include "lib/encode.h"

struct buf;
struct recode_edit;

struct recode {
	struct recode_edit *edit;
	size_t n, cap;
	uint64_t octets;      /* what comes out, with CR LF for each LF */
	bool eight_bit, long_line; /* what had to be left as it is */
	/* the stream */
	uint64_t at;
	size_t next;
	struct encode encode; /* of the edit that is entered */
	bool entered;
};

/* LF lines. eight_bit: no byte over 127 may come out. n is 0 afterwards if
 * nothing is to be done, or can be. */
void recode_init(struct recode *, struct span message, bool eight_bit);
void recode_fini(struct recode *);
/*
 * The next of the message, in order; how much of it was used: no more when
 * out holds enough. Appends at most 4 * piece.n + 256 bytes beyond that.
 */
size_t recode_bytes(struct recode *, struct span piece, size_t enough,
    struct buf *out);
/* After the last byte. A few edits at the very end. */
void recode_end(struct recode *, struct buf *out);
void recode_again(struct recode *);

enum { RECODE_EDITS_MAX = 16 * 1024 }; /* then no header is folded any more */

#endif
