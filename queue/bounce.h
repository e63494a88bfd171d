/* bounce: reports to senders, RFC 3464. */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include "queue/message.h"

/*
 * Makes a report about m's recipients in this state (RCPT_FAILED: failed;
 * RCPT_DEFERRED: delayed) and puts it into the batch of this turn. done, if
 * not NULL, comes when it is durable (true) or could not be stored; also
 * (true, and perhaps before this returns) when there is nobody to tell. -1:
 * it could not even be begun, done does not come.
 */
int bounce_send(struct message *m, enum rcpt_state,
    void (*done)(struct message *m, bool durable));

#endif
