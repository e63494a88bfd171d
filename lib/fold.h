/*
 * fold: UTF-8 text made comparable without regard to case, as RFC 5051
 * (i;unicode-casemap) has it: lower case by simple folding, composed letters
 * taken apart, full-width ASCII made narrow. Linear; output never longer
 * than three times the input.
 */
#ifndef LIB_FOLD_H
#define LIB_FOLD_H

#include "lib/span.h"

struct buf;

/* Appends. s: whole characters (what is no UTF-8 is copied as it is). */
void fold_utf8(struct span s, struct buf *out);

#endif
