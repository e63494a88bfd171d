/*
 * maildrop: the messages of a Maildir as one POP3 session sees them: a
 * snapshot, numbered once. See maildrop.c for why nothing is locked.
 */
#ifndef POP3D_MAILDROP_H
#define POP3D_MAILDROP_H

#include "lib/buf.h"

struct message {
	uint64_t size;      /* octets on the wire, if MSG_SIZED */
	uint32_t arrived;   /* seconds since the epoch, for the order */
	uint32_t name;      /* where its file name starts in names */
	uint8_t name_len;   /* file names have at most 255 bytes */
	uint8_t base_len;   /* without ":2,FLAGS" */
	uint8_t unique_len; /* without ",S=..." too */
	uint8_t flags;
};

enum {
	MSG_NEW = 1,     /* in new/, else in cur/ */
	MSG_SIZED = 2,
	MSG_DELETED = 4, /* by DELE, this session */
	MSG_GONE = 8,    /* somebody else removed it */
	MSG_TWIN = 16,   /* another message has the same unique part */
	MSG_SEEN = 32,   /* scratch of a rescan */
};

struct maildrop {
	int dir_fd;         /* the Maildir; borrowed */
	int sub_fd[2];      /* cur, new; -1 if there is none */
	size_t n, cap;
	struct message *m;  /* message number 1 is m[0] */
	struct buf names;   /* all file names, each terminated */
};

/*
 * Reads cur/ and new/. -1 and errno (E2BIG: over MAILDIR_MESSAGES_MAX);
 * maildrop_fini() is fine then, too.
 */
int maildrop_init(struct maildrop *, int dir_fd);
void maildrop_fini(struct maildrop *);

/* Neither deleted in this session nor gone. */
bool message_is_there(const struct message *);

/*
 * Opens a message for reading. -1 with ENOENT if it is gone for good (it is
 * marked), or another errno.
 */
int maildrop_open(struct maildrop *, struct message *);
/* Fills m->size, reading the file if its name does not tell. Likewise. */
int maildrop_size(struct maildrop *, struct message *);
/* Unlinks it; 0 also if somebody else has done so. */
int maildrop_remove(struct maildrop *, struct message *);
/* The name of its file. */
struct span maildrop_name(const struct maildrop *, const struct message *);
/* Its unique-id, RFC 1939 7: 1 to 70 bytes of 0x21 to 0x7E. */
void maildrop_uidl(const struct maildrop *, const struct message *,
    struct buf *out);

#endif
