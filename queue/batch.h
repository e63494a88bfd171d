/*
 * batch: files that came in one turn of the loop. At its end writeback of
 * all is started, each is fsynced, the directory once, and only then is each
 * answered and sent on its way.
 */
#ifndef QUEUE_BATCH_H
#define QUEUE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

struct ipc;
struct message;

struct entry {
	uint64_t qid;
	int fd;
	struct message *msg; /* NULL: to be loaded from the file */
	struct ipc *from;    /* who waits for the answer; NULL: nobody */
	uint32_t id;
	void (*done)(void *arg, bool durable);
	void *arg;
	int err; /* of fsync; 0: synced */
};

void batch_init(void);

/*
 * Takes the descriptor of a whole file. The caller fills in the rest, before
 * another one comes.
 */
struct entry *batch_add(uint64_t qid, int fd);
bool batch_knows(uint64_t qid);
/* Nobody there any more to hear an answer. */
void batch_forget(const struct ipc *from);

#endif
