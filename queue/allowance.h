/*
 * allowance: how much each user may send in an hour: whoever logged in, and
 * the local accounts that use submit.sock. All mail passes the queue, so
 * this is the one place where it can be counted once. Strangers and trusted
 * networks have no login and are not counted here.
 */
#ifndef QUEUE_ALLOWANCE_H
#define QUEUE_ALLOWANCE_H

struct envelope;
struct reply;

/* May its user send it now? NULL, or why not. Counts nothing. */
const struct reply *allowance_check(const struct envelope *);
/* It is taken: counts it. */
void allowance_use(const struct envelope *);

#endif
