/*
 * relay: the processes that talk to other hosts. They are always there;
 * master hands over a channel to each.
 */
#ifndef QUEUE_RELAY_H
#define QUEUE_RELAY_H

#include "queue/message.h"

struct destination;
struct relay;

/* Takes fd. One that had this index gets no more jobs: a reload has begun. */
void relay_new(int fd, unsigned index);
/*
 * Who shall have the next job of d: the one that had the last, which may have
 * a connection still, unless it is busy. NULL: none has room.
 */
struct relay *relay_pick(struct destination *d);
void relay_send(struct relay *, struct rcpt *);
bool relay_has_room(const struct destination *); /* any of them */
size_t relay_count(void); /* those that take jobs */

#endif
