/*
 * dns_message: a header of twelve bytes, the question, and records in three
 * sections (RFC 1035 4.1):
 *
 *	id flags qdcount ancount nscount arcount	16 bits each
 *	name type class
 *	name type class ttl(32) length(16) data		and so on
 */
#ifndef LIB_DNS_MESSAGE_H
#define LIB_DNS_MESSAGE_H

#include "lib/dns_name.h"

enum { DNS_CLASS_IN = 1 };

struct dns_message {
	struct span all;
	uint16_t flags, answers, authorities;
	size_t records; /* where the first one begins */
};

struct dns_raw { /* a record, as it stands in the message */
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl;
	size_t data, end; /* offsets in the message */
};

/* Numbers at an offset that is known to be good. */
unsigned dns_message_u8(struct span, size_t at);
uint16_t dns_message_u16(struct span, size_t at);
uint32_t dns_message_u32(struct span, size_t at);

/* An answer, and to one question: the one that was asked. -1: it is not. */
int dns_message_begin(struct span, uint32_t type, const struct dns_name *asked,
    struct dns_message *);
/* The record at *at, which is moved behind it. -1: malformed. */
int dns_message_record(struct span, size_t *at, struct dns_raw *);
/* The name at an offset, if it ends where the record ends. -1: it does not. */
int dns_message_name(
    struct span, const struct dns_raw *, size_t at, struct dns_name *);

#endif
