/*
 * json: what tools print for scripts (RFC 8259): one object a line, by hand,
 * with these for text that others wrote.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/buf.h"

/* "text": no controls, valid UTF-8 (buf_safe()), quoted. */
void json_text(struct buf *, struct span);
/* ,"key":"text" */
void json_pair(struct buf *, const char *key, const char *text);

#endif
