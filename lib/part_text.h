/*
 * part_text: what a reader would see of a part, made searchable. The way:
 *
 *	raw bytes -> decode (base64, qp) -> charset -> UTF-8 -> fold -> fn
 *
 *	part_text_init(&t, part.encoding, part.charset, fn, arg);
 *	while (more of the file)
 *		if (!part_text_bytes(&t, chunk))
 *			break;              (fn has seen enough)
 *	part_text_end(&t);
 *
 * and at the end of it a needle, made with part_text_needle() from what the
 * client sent, is looked for by text_find.
 */
#ifndef LIB_PART_TEXT_H
#define LIB_PART_TEXT_H

#include "lib/buf.h"
#include "lib/charset.h"
#include "lib/decode.h"

/* Folded UTF-8; chunks end anywhere. false: enough. */
typedef bool part_text_fn(void *arg, struct span folded);

struct part_text {
	struct decode decode;
	struct charset_stream charset;
	struct buf raw, utf8, folded;
	part_text_fn *fn;
	void *arg;
	bool enough;
};
/* Names as in a MIME header; empty: 7bit, us-ascii. Allocates little. */
void part_text_init(struct part_text *, struct span encoding,
    struct span charset, part_text_fn *, void *arg);
bool part_text_bytes(struct part_text *, struct span chunk);
bool part_text_end(struct part_text *); /* flushes, frees */

/*
 * A header field's value (raw, folds or not) in the same form: RFC 2047
 * decoded, folded. Appends.
 */
void part_text_header(struct span value, struct buf *folded);

/*
 * A search key in the charset of the command (NULL: UTF-8) in the same form.
 * -1: not valid in it.
 */
int part_text_needle(
    struct span key, const struct charset *, struct buf *folded);

/*
 * Looks for a needle in chunks. 0 bytes are found at once.
 * text_find_in(): true once found (and from then on).
 */
struct text_find {
	struct span needle; /* borrowed */
	struct buf tail;    /* the last bytes of what was seen */
	bool found;
};
void text_find_init(struct text_find *, struct span needle);
bool text_find_in(struct text_find *, struct span chunk);
void text_find_fini(struct text_find *);

#endif
