/*
 * store: files in SPOOL/queue. No policy: what is written when, and what it
 * means, is told by the callers. Names are queue ids as text.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <dirent.h>
#include <sys/types.h>

#include "lib/spool.h"

/* Opens and makes what is missing below the spool directory; or dies. */
void store_init(int spool_fd);

/*
 * A whole new file; nothing is synced yet. The open descriptor, or -1 and
 * errno: nothing of it is left then.
 */
int store_write(uint64_t qid, struct span front, struct span body);
/*
 * An unfinished one, for smtpd to append the body to through *append_fd.
 * The descriptor that store_finish() wants, or -1 and errno.
 */
int store_begin(uint64_t qid, struct span front, int *append_fd);
/* Marks it whole. -1: errno; EBADMSG: it is not as long as head says. */
int store_finish(int fd, const struct spool_head *);

/* The names of all files made and removed until now are durable. */
int store_sync(void);

/* Writes records at the log's end; torn: garbage after it is cut off. */
int store_append(uint64_t qid, off_t at, struct span records, bool torn);

/*
 * All records from offset at on, however many. Where the log ends goes to
 * *end, and to *torn if garbage is behind it. -1 and errno.
 */
int store_log(int fd, off_t at, void (*fn)(const struct spool_record *,
    void *arg), void *arg, off_t *end, bool *torn);

int store_open(uint64_t qid); /* to read */
/* Reads up to n bytes at offset; fewer only at the end of the file. */
ssize_t store_read(int fd, char *p, size_t n, off_t at);
/* If it cannot go now it goes later (queue/litter.h). */
void store_remove(uint64_t qid);
/* Moves it to SPOOL/corrupt, for a human, and says so. */
void store_set_aside(uint64_t qid, const char *why);
/* The same for a name that is no queue id. */
void store_set_aside_name(const char *name, const char *why);

/*
 * Is there room for size more bytes beyond the reserve? Only a yes is kept, for
 * a second at most.
 */
bool store_has_room(uint64_t size);

/* A fresh directory stream over the files. NULL and errno. */
DIR *store_list(void);

#endif
