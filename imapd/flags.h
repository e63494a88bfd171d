/* flags: lists of flags, RFC 3501 2.3.2, as text and as bits. */
#ifndef IMAPD_FLAGS_H
#define IMAPD_FLAGS_H

#include "lib/span.h"

struct imap_out;
struct imap_reply;
struct mailbox;

/*
 * Takes "(flag ...)" off *in; bare: also flags without parentheses, up to the
 * end. *list is what is between. -1: syntax.
 */
int flags_take(struct span *in, bool bare, struct span *list);
/*
 * Their bits in this folder; make: keywords that are new get one, else they
 * are left out. NULL, or the answer.
 */
const struct imap_reply *flags_bits(struct mailbox *, struct span list,
    bool make, uint32_t *flags, uint64_t *keywords);
/* "(\Seen ...)"; star: with "\*" (PERMANENTFLAGS). */
void flags_out(struct imap_out *, const struct mailbox *, uint32_t flags,
    uint64_t keywords, bool star);
/* All system flags and the keywords that have a name. */
uint64_t flags_keywords_known(const struct mailbox *);

#endif
