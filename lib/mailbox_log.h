/*
 * mailbox_log: the bytes of a folder's log (lib/mailbox.h), without any
 * file. Format: mailbox_log.c, postern-mailbox(5).
 */
#ifndef LIB_MAILBOX_LOG_H
#define LIB_MAILBOX_LOG_H

#include "lib/buf.h"

enum {
	MAILBOX_LOG_HEAD = 32,
	MAILBOX_LOG_FRAME = 21,       /* of a record, before its payload */
	MAILBOX_LOG_RECORD_MAX = 256 * 1024,
	MAILBOX_LOG_NEW_MIN = 43,     /* one entry of MLOG_NEW */
};

enum mailbox_log_type {
	MLOG_NEW = 1, MLOG_FLAGS, MLOG_EXPUNGE, MLOG_KEYWORD, MLOG_TAKEN,
	MLOG_NAME, MLOG_STATE, MLOG_DELIVERED, MLOG_UIDNEXT, MLOG_LOOKED,
};

struct mailbox_log_head {
	uint64_t id;
	uint32_t uidvalidity;
};

struct mailbox_log_record {
	enum mailbox_log_type type;
	uint32_t uidnext;    /* after it; 0: not said */
	uint64_t modseq;
	struct span payload;
	uint64_t payload_at; /* in the log */
};

void mailbox_log_head_encode(struct buf *, const struct mailbox_log_head *);
int mailbox_log_head_decode(struct span, struct mailbox_log_head *);

/*
 * A record: begin, put the payload, end. at: where in the log the buffer's
 * first byte will be.
 */
size_t mailbox_log_begin(struct buf *, enum mailbox_log_type,
    uint32_t uidnext, uint64_t modseq);
void mailbox_log_end(struct buf *, size_t start, uint64_t id, uint64_t at);

/*
 * Takes the record at the front of *in, which is byte *at of the log. -1:
 * there is none that is whole (input kept).
 */
int mailbox_log_take(struct span *in, uint64_t *at, uint64_t id,
    struct mailbox_log_record *);
/* After -1: skips to the next whole record. False: there is none. */
bool mailbox_log_resync(struct span *in, uint64_t *at, uint64_t id);

/* One message of MLOG_NEW. */
struct mailbox_log_new {
	uint32_t uid;
	uint16_t flags, bits; /* MF_STORED, ROW_STORED */
	bool size_known;
	uint64_t keywords, modseq, size;
	int64_t date;
	struct span name;
	size_t name_at; /* decode: from the front of the payload */
};
void mailbox_log_new_put(struct buf *, const struct mailbox_log_new *);
int mailbox_log_new_get(struct span *payload, struct mailbox_log_new *);

/* A file's name: u8 length, u32 checksum, bytes. */
enum { MAILBOX_LOG_NAME_MAX = 5 + 255 };
void mailbox_log_name_put(struct buf *, struct span name);
int mailbox_log_name_get(struct span *, struct span *name);

/* Ascending uids as ranges. */
struct mailbox_ranges {
	struct buf *out;
	uint32_t first, last; /* 0: none yet */
};
void mailbox_ranges_add(struct mailbox_ranges *, uint32_t uid);
void mailbox_ranges_end(struct mailbox_ranges *);
int mailbox_range_get(struct span *, uint32_t *first, uint32_t *last);

/* A directory, as fstat(2) shows it. */
enum mailbox_state_kind {
	STATE_UNKNOWN,
	STATE_YOUNG,   /* true, but mtime may not show the next change */
	STATE_SETTLED,
};
struct mailbox_state {
	enum mailbox_state_kind kind;
	uint64_t ino;
	int64_t mtime; /* ns */
};
void mailbox_state_put(struct buf *, const struct mailbox_state *);
int mailbox_state_get(struct span *, struct mailbox_state *);

#endif
