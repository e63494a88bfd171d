/* change: what an administrator does to messages in the queue. */
#ifndef QUEUE_CHANGE_H
#define QUEUE_CHANGE_H

#include "queue/request.h"

subject_fn change_flush, change_hold, change_release, change_remove;
/* All that are not held are due, all destinations worth another attempt. */
void change_flush_all(void);

#endif
