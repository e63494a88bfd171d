/* job: one message for some recipients of this worker's owner. */
#ifndef DELIVER_JOB_H
#define DELIVER_JOB_H

#include "deliver/store.h"
#include "lib/ipc_job.h"

/*
 * Writes the copies; fills out[0..nrcpt), some of them only when
 * store_commit() comes. Takes msg's descriptor. How many, or -1: malformed.
 */
int job_take(struct ipc_msg *msg, struct outcome *out);

#endif
