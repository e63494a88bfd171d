/*
 * schedule: who is delivered to next. Destinations (queue/destination.h) take
 * turns; one that is slow or dead holds up nobody but itself.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "lib/ipc_job.h"
#include "queue/message.h"

struct destination;

/*
 * Sends all READY recipients of an active message on their way. Some may be
 * decided at once (account gone, no route, host down), or there is no room
 * for it in memory: the message may then already be settled, or wait, and be
 * freed, when this returns.
 */
void schedule_message(struct message *);
/* Back to its destination's list: at the front; at the end. */
void schedule_again(struct rcpt *);
void schedule_later(struct rcpt *);
/* Takes r out of its destination's list: it becomes SENT. */
void schedule_take(struct rcpt *);
/* The same, and it goes nowhere (removed by the administrator). */
void schedule_drop(struct rcpt *);
/* All that wait at d get this result. */
void schedule_defer_all(struct destination *d, const struct ipc_result *);
/* A relay process came or went. */
void schedule_relays(void);

/* Starts deliveries and loads waiting messages; at the end of each turn. */
void schedule_run(void);
/* Something of d changed (worker free, new, gone): look at it this turn. */
void schedule_wake(struct destination *d);
/* Is there memory enough for mail that rests? */
bool schedule_is_roomy(void);
/* Deliveries under way. */
size_t schedule_busy(void);
/* Looks at the waiting messages now (after flush, release, scan). */
void schedule_due(void);

#endif
