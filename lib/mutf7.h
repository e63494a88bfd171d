/* mutf7: mailbox names on the wire and on disk, RFC 3501 5.1.3. */
#ifndef LIB_MUTF7_H
#define LIB_MUTF7_H

#include "lib/buf.h"

/* -1: not well formed (also: not the one shortest form, a NUL). */
int mutf7_decode(struct span, struct buf *utf8);
int mutf7_encode(struct span utf8, struct buf *);

#endif
