/*
 * admit: for whom a message is in the end, before it is taken. Addresses are
 * resolved before the file is written, so the file holds the final
 * recipients, and later changes of maps cannot confuse its log.
 */
#ifndef QUEUE_ADMIT_H
#define QUEUE_ADMIT_H

#include "lib/spool.h"

struct reply;

struct admitted { /* borrowed until the next one is admitted */
	const struct spool_final *final;
	size_t n;
	struct span front; /* of its file */
};

void admit_init(void);

/*
 * Is there room on the disk, and who are the recipients? NULL, or why not.
 * The body is known, or still to come and about so long.
 */
const struct reply *admit_whole(
    const struct envelope *, uint64_t size, uint32_t crc, struct admitted *);
const struct reply *admit_unfinished(
    const struct envelope *, uint64_t size_hint, struct admitted *);

#endif
