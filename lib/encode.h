/*
 * encode: content transfer encodings (RFC 2045 6), streaming; the way back
 * from lib/decode.h. What comes out is ASCII with LF lines of at most
 * SMTP_TEXT_LINE_MAX, and no line of it begins with "-", so it holds no
 * delimiter of a multipart, wherever its lines are broken.
 */
#ifndef LIB_ENCODE_H
#define LIB_ENCODE_H

#include "lib/span.h"

struct buf;

enum encode_kind {
	/* Of what has no encoding; a LF stands for CR LF, a CR is dropped. */
	ENCODE_QP,
	ENCODE_BASE64,
	/* Of what is encoded, not as it should be: its meaning stays. */
	ENCODE_QP_AGAIN,
	ENCODE_BASE64_AGAIN,
};

struct encode {
	enum encode_kind kind;
	size_t column;
	char blank;    /* quoted-printable: it may be the line's last; or 0 */
	unsigned keep; /* bytes that stay on the line of their "=" */
	uint32_t bits; /* base64: of a group that is not whole */
	unsigned have; /* ... bytes of it */
};

void encode_init(struct encode *, enum encode_kind);
/* Appends at most 4 * in.n + 8 bytes. */
void encode_bytes(struct encode *, struct span in, struct buf *out);
/* What was held. No line end is added to the last line. */
void encode_end(struct encode *, struct buf *out);

/* Which makes less of it: ENCODE_QP or ENCODE_BASE64. */
enum encode_kind encode_shorter(struct span text);

#endif
