/*
 * decode: content transfer encodings (RFC 2045 6), streaming and forgiving:
 * what is no base64 or quoted-printable is passed over or taken as it is;
 * input may be cut anywhere. lib/base64.h is the strict one, for protocols.
 */
#ifndef LIB_DECODE_H
#define LIB_DECODE_H

#include "lib/span.h"

struct buf;

enum decode_kind { DECODE_NONE, DECODE_BASE64, DECODE_QP };

struct decode {
	enum decode_kind kind;
	uint32_t bits; /* base64: of a group that is not whole */
	unsigned have; /* ... digits of it */
	char held[80]; /* quoted-printable: "=", "=4", blanks at an end */
	size_t n;
};

/* By the name in Content-Transfer-Encoding; unknown: DECODE_NONE. */
enum decode_kind decode_kind(struct span encoding);
void decode_init(struct decode *, enum decode_kind);
/* Appends what in means to out, at most in.n + 80 bytes. */
void decode_bytes(struct decode *, struct span in, struct buf *out);
void decode_end(struct decode *, struct buf *out); /* what was held */

#endif
