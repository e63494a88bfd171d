/*
 * dns_name: a domain name as it stands in a DNS message (RFC 1035 4.1.4) and
 * as text. In a message it is labels (length, bytes), ended by an empty one
 * or by a pointer (11xxxxxx xxxxxxxx) to labels further up. Here a pointer
 * must lead before the labels it stands behind, so there is no loop; names
 * are compared in their expanded form, in lower case.
 */
#ifndef LIB_DNS_NAME_H
#define LIB_DNS_NAME_H

#include "lib/buf.h"

enum { DNS_WIRE_NAME_MAX = 255 }; /* RFC 1035 2.3.4 */

struct dns_name { /* expanded, lower case, with the final empty label */
	size_t n;
	unsigned char wire[DNS_WIRE_NAME_MAX];
};

/* The name at *at of a message; *at is moved behind it. -1: malformed. */
int dns_name_read(struct span message, size_t *at, struct dns_name *);
/* Of text without a final dot; "" is the root. -1: cannot be a name. */
int dns_name_of(struct span text, struct dns_name *);
bool dns_name_eq(const struct dns_name *, const struct dns_name *);
/*
 * As text without the final dot, appended to mem; the root is "". -1: not a
 * host's name. slash: may be one of reverse names (RFC 2317).
 */
int dns_name_text(
    const struct dns_name *, bool slash, struct buf *mem, struct span *text);
/* RFC 2317 puts a slash into reverse names; nobody else has use for it. */
bool dns_name_char(char, bool slash);

#endif
