/*
 * dns_answer: what a name server said (RFC 1035 4), read strictly, as the
 * typed answer that dns passes on (lib/ipc_dns.h); and the name that must be
 * asked for it. The bytes are a stranger's even where DNSSEC vouches for
 * them: a domain's owner signs what he likes.
 */
#ifndef LIB_DNS_ANSWER_H
#define LIB_DNS_ANSWER_H

#include "lib/buf.h"

struct ipc_dns;
struct ipc_dns_is;

enum {
	DNS_MESSAGE_MAX = 65535,
	/* All that an answer can point to: its texts, its expanded names. */
	DNS_ANSWER_MEM = 128 * 1024,
};

/*
 * The name to ask for, in lower case, appended; PTR: the address turned
 * round (RFC 1035 3.5, RFC 3596 2.5). -1: nothing that can be asked.
 */
int dns_answer_question(const struct ipc_dns *, struct buf *name);

/*
 * Reads the answer to that question. What *is points to lives in mem, which
 * was made with buf_init(mem, DNS_ANSWER_MEM) and is used anew. A record that
 * is not well formed is left out; if none remains, or the message is not
 * well formed, the status is DNS_TEMP, never "no such": mail would go
 * elsewhere. Of more than DNS_RECORDS_MAX the first are kept, of MX the best.
 * is->secure is left to who knows.
 */
void dns_answer_parse(struct span message, uint32_t type, struct span name,
    struct buf *mem, struct ipc_dns_is *is);

#endif
