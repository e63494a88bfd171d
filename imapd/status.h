/* status: STATUS items, for STATUS and LIST RETURN (STATUS (...)). */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "lib/span.h"

struct imap_reply;
struct session;

/* Takes "(item ...)" off *in; -1: syntax. */
int status_items_take(struct span *in, unsigned *items);
/* "* STATUS name (...)"; NULL, or why not. */
const struct imap_reply *status_out(struct session *, struct span name,
    unsigned items);

#endif
