/*
 * select: a word of `postern queue`: a queue id, an address (of the sender or
 * of a recipient), a domain (of a recipient), or sender=ADDRESS,
 * recipient=ADDRESS, destination=DOMAIN or the name of a next hop, as
 * lib/transport.h writes it.
 */
#ifndef QUEUE_SELECT_H
#define QUEUE_SELECT_H

#include "queue/message.h"

bool select_ok(struct span word);
bool select_matches(const struct message *, struct span word);
/* Is something still to be done for it? Only such recipients are matched. */
bool rcpt_is_open(const struct rcpt *);

#endif
