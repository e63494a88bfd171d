/*
 * watch: do the event-driven daemons still turn? Each is asked now and then,
 * and answers from its loop. Who has not answered for process-timeout is
 * killed; its seat is filled again.
 */
#ifndef MASTER_WATCH_H
#define MASTER_WATCH_H

struct child;

void watch_start(void);
/* It has answered. -1: nobody asked. */
int watch_answered(struct child *);

#endif
