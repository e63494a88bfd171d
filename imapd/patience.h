/*
 * patience: for how long a command may work that asks little and looks at
 * much. It looks up often enough that a client that has gone, SIGTERM, and
 * the end of its time (imap-search-time, of CPU) are noticed within a moment,
 * whatever the messages are; and after a while it steps back behind everybody
 * else's work.
 */
#ifndef IMAPD_PATIENCE_H
#define IMAPD_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

struct imap_reply;
struct session;

struct patience {
	struct session *s;
	const struct imap_reply *end; /* why the command must end; NULL */
	uint64_t work;  /* since it last looked up */
	uint64_t began; /* ms of CPU */
	bool stepped_back;
};

/* What things cost, roughly in ns. */
enum { WORK_KEY = 50, WORK_MESSAGE = 500, WORK_FIELD = 1000,
	WORK_FILE = 50 * 1000, WORK_BYTE = 4, WORK_BYTE_EACH = 1 };

void patience_init(struct patience *, struct session *);
/* So much more was done. False: it is enough; end tells the client why. */
bool patience_has(struct patience *, uint64_t work);

#endif
