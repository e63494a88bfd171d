/* show: the queue, its messages and destinations, as people and scripts read
 * them. */
#ifndef QUEUE_SHOW_H
#define QUEUE_SHOW_H

#include "queue/request.h"

subject_fn show_line;    /* a message in a list */
subject_fn show_message; /* all about one */
void show_destinations(struct request *);

#endif
