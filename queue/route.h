/* route: where a final recipient goes, decided each time it is tried. */
#ifndef QUEUE_ROUTE_H
#define QUEUE_ROUTE_H

#include "lib/ipc_job.h"
#include "queue/message.h"

/*
 * r's destination (and its mailbox, if that is local). NULL: it goes nowhere,
 * or not now: *is is the result, code 0 if it is to be discarded; its spans
 * are borrowed from maps.
 */
struct destination *route_find(struct rcpt *r, struct ipc_result *is);
/* The name of the next hop, for people; "local" for mailboxes here, "" if it
 * cannot be told. Borrowed until the next call. */
struct span route_name(const struct rcpt *r);

#endif
