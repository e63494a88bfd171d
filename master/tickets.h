/*
 * tickets: keys for TLS session tickets. All processes of a role have the
 * same, also those that a reload makes, so a client's session is taken up
 * again by whichever it meets. They are made here, renewed, and never on
 * disk.
 */
#ifndef MASTER_TICKETS_H
#define MASTER_TICKETS_H

struct child;

/* Makes the first ones and keeps them fresh. */
void tickets_init(void);
/* Part of the set-up of a child whose role has them. */
void tickets_give(struct child *);

#endif
