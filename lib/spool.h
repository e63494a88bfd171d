/*
 * spool: the file of one message in the queue, postern-spool(5).
 *
 *	offset 0    the head, one line of SPOOL_HEAD bytes:
 *	            "POSTERN1 " mark " " envlen " " envcrc " " size " " crc " "
 *	            headcrc LF
 *	            mark is 'W' (whole) or 'U' (reception not finished); numbers
 *	            are lower-case hex of 8, 8, 16, 8 and 8 digits; headcrc is
 *	            over all before it
 *	64          the envelope, envlen bytes: lib/ipc_mail.c's form, then the
 *	            final recipients: u32 count, and for each u32 which
 *	            recipient of the envelope it comes from, u32 length, address
 *	64+envlen   the body, size bytes, LF lines
 *	then        the log: records, each u32 length, u32 crc, then length
 *	            bytes: u8 type, u64 time, u32 recipient, u32 code, u64 next,
 *	            u32 length, enhanced code, u32 length, text, and if
 *	            another host said it u32 length, its name
 *
 * Integers are big-endian; checksums are lib/crc.h's. Lengths come before
 * bytes, so no text of a stranger can look like a field. A file is valid if
 * head and envelope agree with their checksums, and it is as long as the head
 * says; the body's checksum is for whoever reads it. The log ends at the
 * first record that is cut or does not agree: a crash while it was written.
 */
#ifndef LIB_SPOOL_H
#define LIB_SPOOL_H

#include "lib/envelope.h"
#include "lib/buf.h"
#include "lib/limits.h"

enum {
	SPOOL_HEAD = 64,
	SPOOL_ENVELOPE_MAX = 1024 * 1024, /* bytes of envelope and recipients */
	SPOOL_FINAL_MAX = SMTP_RCPT_MAX + ALIAS_WIDTH_MAX,
	SPOOL_RECORD_MAX = 1024,
};

struct spool_final { /* a recipient after aliases */
	uint32_t from;       /* index into the envelope's recipients */
	struct span address; /* canonical */
};

struct spool_head {
	bool whole;
	uint32_t envlen, envcrc;
	uint64_t size;
	uint32_t crc;
};

/* Head with envelope and recipients: what stands before the body. */
void spool_front_encode(struct buf *, const struct envelope *,
    const struct spool_final *, size_t nfinal, bool whole, uint64_t size,
    uint32_t crc);
/* The head alone, to be written over an unfinished one. */
void spool_head_encode(struct buf *, const struct spool_head *);
/* The first SPOOL_HEAD bytes. -1: not a spool file, or damaged. */
int spool_head_decode(struct span, struct spool_head *);
/*
 * The envlen bytes after the head; spans point into them. final has room for
 * SPOOL_FINAL_MAX. -1: damaged.
 */
int spool_front_decode(struct span, const struct spool_head *,
    struct envelope *, struct spool_final *final, size_t *nfinal);

enum spool_record_type {
	SPOOL_RESULT = 1, /* of one recipient: code, enhanced, text; for a 4xx
			   * next is when to try again */
	SPOOL_BOUNCED,    /* the sender was told that this one failed */
	SPOOL_WARNED,     /* the sender was told that it waits */
	SPOOL_HELD,       /* by the administrator; whole message */
	SPOOL_RELEASED,
};

struct spool_record {
	enum spool_record_type type;
	int64_t when;   /* s since the epoch */
	uint32_t rcpt;  /* index of a final recipient */
	uint32_t code;
	int64_t next;   /* s since the epoch, or 0 */
	struct span enhanced, text;
	struct span host; /* who said it; empty: we ourselves */
};

/* Texts are cut where they are too long, and made safe (buf_safe). */
void spool_record_encode(struct buf *, const struct spool_record *);
/* 1: the next record, taken off *in. 0: the log ends here. */
int spool_record_next(struct span *in, struct spool_record *);

#endif
