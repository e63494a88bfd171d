/*
 * events: libunbound's sockets and timers in our one loop. What libevent
 * would be, without it: the pluggable interface of unbound-event.h.
 */
#ifndef DNS_EVENTS_H
#define DNS_EVENTS_H

struct ub_event_base;

/* There is one loop, so there is one base; it needs no end. */
struct ub_event_base *events_base(void);

#endif
