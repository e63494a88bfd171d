/*
 * generation: one configuration and all that was made of it: the text that
 * children read, accounts, certificate, shared counters. A reload makes a
 * new one beside the old one; if the new one does not stand, nothing
 * changes.
 */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/role.h"

struct buf;
struct conf;

struct file_stamp { /* tells whether a file is still the same */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct identity {
	uid_t uid;
	gid_t gid;
};

struct generation {
	unsigned number;
	struct conf *conf;
	int conf_fd; /* sealed text of conf */
	bool privileged;
	struct identity id[ROLE_COUNT]; /* roles with a user of their own */
	struct identity mail;           /* mail-user */
	int cert_fd, key_fd;            /* sealed copies; -1: no TLS */
	struct file_stamp cert_stamp, key_stamp;
	int tally_fd[ROLE_COUNT]; /* -1: none */
};

/*
 * Takes conf. NULL: err says why, and conf is freed. Privileged: accounts
 * must exist, differ from each other, and not be root.
 */
struct generation *generation_new(
    struct conf *, bool privileged, struct buf *err);
/* The same configuration with the certificate that is on disk now. */
struct generation *generation_again(const struct generation *, struct buf *err);
void generation_free(struct generation *); /* NULL is fine */

/* May an owner's process run as uid and gid? */
bool generation_may_own(const struct generation *, uid_t, gid_t);

/* A descriptor with an offset of its own: children share no file offset. */
int generation_copy(int fd);
/* The same for a map; its first size bytes. -1 and errno. */
int generation_copy_large(int fd, off_t size);

/* Zeroed if the file is not there. */
void file_stamp_get(const char *path, struct file_stamp *);
void file_stamp_of(const struct stat *, struct file_stamp *);
bool file_stamp_eq(const struct file_stamp *, const struct file_stamp *);

#endif
