/*
 * queue: what all parts of the queue manager share.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/daemon.h"
#include "lib/resolve.h"

struct queue {
	struct daemon *daemon;
	const struct conf *conf;
	struct maps maps;
	bool stopping;  /* no new deliveries */
};

extern struct queue queue;

enum {
	QUEUE_BODIES_MAX = 64 * 1024 * 1024, /* bodies kept in memory */
	QUEUE_UPLOADS_MAX = 4096,    /* large receptions at once */
	QUEUE_UPLOADS_SHARE = 2,     /* they get one descriptor in so many */
	QUEUE_WORKER_IDLE = 60 * 1000, /* ms, then a deliver process may go */
	QUEUE_WORKER_AGAIN = 1000,   /* ms after master had none to give */
	QUEUE_WORKER_BATCH = 8,      /* jobs before a second one is worth it */
	QUEUE_WORKER_JOBS = 24,      /* jobs one is given at most */
	QUEUE_SLOW = 60 * 1000,      /* ms of one job: its hop is slow */
	QUEUE_REST_MIN = 500,        /* ms until a crowded hop is tried again, */
	QUEUE_REST_MAX = 30 * 1000,  /* at first, at most */
	QUEUE_RELAY_BYTES = 1024 * 1024, /* of jobs that it has not read */
	QUEUE_RELAY_WAIT = 60 * 1000, /* ms for a relay process to appear */
	QUEUE_READY_MIN = 100,       /* recipients of one next hop in memory */
	QUEUE_PARKED = 600,          /* s: the others wait at most, on disk */
	QUEUE_CRASHES_MAX = 3,       /* of processes with this message */
	QUEUE_BOUNCE_BODY = 50 * 1024, /* larger: only the header returns */
	QUEUE_SCAN_STEP = 500,       /* files a turn of the loop */
	QUEUE_STOP_WAIT = 5000,      /* ms for deliveries under way */
};

#endif
