/*
 * encoded_word: RFC 2047 text of header fields to UTF-8. Blanks between two
 * encoded words go; what is no encoded word, or in an unknown charset, stays
 * as it is (8-bit bytes of it as lib/charset.h takes them).
 */
#ifndef LIB_ENCODED_WORD_H
#define LIB_ENCODED_WORD_H

#include "lib/span.h"

struct buf;

/* Appends; value unfolded or with its folds (LF and CR are dropped). */
void encoded_word_decode(struct span value, struct buf *utf8);

#endif
