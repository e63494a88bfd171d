/* base64: RFC 4648 4, strict: padding required, nothing else tolerated. */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include "lib/buf.h"

void base64_encode(struct buf *, struct span);
/* Appends to out. -1: not base64, or out is full (then out->bad). */
int base64_decode(struct span, struct buf *out);

#endif
