/*
 * search: SEARCH and UID SEARCH, RFC 3501 6.4.4, RFC 4731. args is all that
 * stands behind the verb and its blank: an optional RETURN (...), CHARSET,
 * keys. Strings go into s->scratch (lib/imap_token.h says how long they
 * live). Writes "* SEARCH ..." or "* ESEARCH (TAG ...) ..." to s->out and
 * returns the tagged answer (imapd/session.h), which the caller sends after
 * it has told other changes; no EXPUNGE comes before that.
 *
 * It may read s->box by all of lib/mailbox.h but mailbox_sync(), and files
 * by mailbox_file(); rows that are `gone` still have their numbers.
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "lib/span.h"

struct imap_reply;
struct session;

const struct imap_reply *search_run(struct session *, struct span args,
    bool uid);

#endif
