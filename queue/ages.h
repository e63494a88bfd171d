/*
 * ages: how long mail has waited, for each domain: where it goes, or whom it
 * comes from. A domain whose numbers grow to the right is ill; one with much
 * on the left has just much mail.
 */
#ifndef QUEUE_AGES_H
#define QUEUE_AGES_H

#include "queue/request.h"

struct ages;

struct ages *ages_new(bool senders);
void ages_free(struct ages *); /* NULL is fine */

/* Counts a message into q->ages: each open recipient, or its sender. */
subject_fn ages_count;
/* The table, the longest row first. */
void ages_show(struct request *);

#endif
