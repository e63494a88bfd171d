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

/*
 * Who may take how much of the processes' room. Those who are quick have some
 * of it for themselves, so nobody waits behind a thousand who are not.
 */
enum relay_share {
	SHARE_QUICK,   /* no job now, the last one was quick: all */
	SHARE_FIRST,   /* no job now, nothing is known: seven eighths */
	SHARE_MORE,    /* has jobs already: three quarters */
	SHARE_SLOW,    /* was slow, or not there: half */
	SHARES
};
enum relay_share relay_share(const struct destination *);
bool relay_has_room(enum relay_share); /* any of them */
size_t relay_count(void); /* those that take jobs */

#endif
