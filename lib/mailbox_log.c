/*
 * mailbox_log: the log of a folder, byte by byte.
 *
 *	offset 0    the head, MAILBOX_LOG_HEAD bytes:
 *	            "PstLog1\n", u64 id (random), u32 UIDVALIDITY, 8 zero bytes,
 *	            u32 checksum of all before it
 *	32          records, each
 *	            u32 length of what follows the checksum (13 and more)
 *	            u32 checksum of: u64 id, u64 offset of the record in the
 *	                file, then what follows
 *	            u8 type, u32 UIDNEXT after it (0: not said), u64 modseq
 *	            payload
 *
 *	NEW         until the end: u32 uid, u16 flags, u8 bits, u8 size known,
 *	            u64 keywords, u64 modseq, u64 date, u64 size, name
 *	FLAGS       u16 removed, u16 added, u64 keywords removed, added; ranges
 *	EXPUNGE     ranges
 *	KEYWORD     u8 bit, its name until the end
 *	TAKEN       ranges: moved from new/ to cur/, no longer \Recent
 *	NAME        u32 uid, u8 bits, name: it was renamed by another program;
 *	            flags are those in the name
 *	STATE       cur/, then new/: u8 kind, u64 inode, u64 mtime in ns;
 *	            u64 offset up to which the log is synced;
 *	            u32 events that the changes since the last STATE caused
 *	            in cur/
 *	DELIVERED   name of a file in new/
 *	UIDNEXT     nothing
 *	LOOKED      until the end: u32 uid, u8 size known, u64 date
 *
 *	ranges      until the end: u32 first, u32 last, ascending
 *	name        u8 length, u32 checksum, bytes; a name that begins with a
 *	            NUL is not known, and u64 hash of its base follows
 *
 * Integers are big-endian; checksums are lib/crc.h's. The id and the offset
 * in the checksum tie a record to its place: no copy of a record elsewhere,
 * in this file or another, is one.
 *
 * A log is only ever appended to, under flock(2); it is replaced by rename,
 * never shortened.
 */
#include "lib/mailbox_log.h"

#include <assert.h>
#include <string.h>

#include <bsd/sys/endian.h>

#include "lib/crc.h"
#include "lib/ipc.h"

static const char magic[] = "PstLog1\n";

enum {
	MAGIC = sizeof(magic) - 1,
	HEAD_CRC_AT = MAILBOX_LOG_HEAD - 4,
	BODY_MIN = 13, /* type, UIDNEXT, modseq */
	PREFIX = 8,    /* length, checksum */
	RESYNC_TIMES = 16, /* readings of what is damaged */
};
static_assert(PREFIX + BODY_MIN == MAILBOX_LOG_FRAME, "the frame");

void
mailbox_log_head_encode(struct buf *b, const struct mailbox_log_head *h)
{
	size_t start = b->n;

	buf_str(b, magic);
	put_u64(b, h->id);
	put_u32(b, h->uidvalidity);
	put_u64(b, 0);
	if (!b->bad)
		put_u32(b, crc32c(0, b->p + start, HEAD_CRC_AT));
}

int
mailbox_log_head_decode(struct span in, struct mailbox_log_head *out)
{
	struct span head = span_slice(in, 0, MAILBOX_LOG_HEAD), crc;
	struct mailbox_log_head h;
	uint32_t want;

	if (head.n != MAILBOX_LOG_HEAD || !span_starts(head, span_str(magic)))
		return -1;
	crc = span_slice(head, HEAD_CRC_AT, MAILBOX_LOG_HEAD);
	span_take(&head, MAGIC);
	if (get_u32(&crc, &want) == -1 ||
	    want != crc32c(0, in.p, HEAD_CRC_AT) ||
	    get_u64(&head, &h.id) == -1 ||
	    get_u32(&head, &h.uidvalidity) == -1 || h.uidvalidity == 0)
		return -1;
	*out = h;
	return 0;
}

/* Of a record's body, for its place. */
static uint32_t
checksum(uint64_t id, uint64_t at, struct span body)
{
	char place[16];

	be64enc(place, id);
	be64enc(place + 8, at);
	return crc32c(crc32c(0, place, sizeof(place)), body.p, body.n);
}

size_t
mailbox_log_begin(struct buf *b, enum mailbox_log_type type, uint32_t uidnext,
    uint64_t modseq)
{
	size_t start = b->n;

	put_u64(b, 0); /* length, checksum: filled in by the end */
	put_u8(b, (uint8_t)type);
	put_u32(b, uidnext);
	put_u64(b, modseq);
	return start;
}

void
mailbox_log_end(struct buf *b, size_t start, uint64_t id, uint64_t at)
{
	struct span body;

	if (b->bad)
		return;
	body = span_of(b->p + start + PREFIX, b->n - start - PREFIX);
	be32enc(b->p + start, (uint32_t)body.n);
	be32enc(b->p + start + 4, checksum(id, at + start, body));
}

int
mailbox_log_take(struct span *in, uint64_t *at, uint64_t id,
    struct mailbox_log_record *out)
{
	struct mailbox_log_record r;
	struct span rest = *in, body;
	uint32_t len, crc;
	uint8_t type;

	if (get_u32(&rest, &len) == -1 || get_u32(&rest, &crc) == -1 ||
	    len < BODY_MIN || len > MAILBOX_LOG_RECORD_MAX || len > rest.n)
		return -1;
	body = span_take(&rest, len);
	if (crc != checksum(id, *at, body))
		return -1;
	(void)get_u8(&body, &type);
	r.type = (enum mailbox_log_type)type;
	(void)get_u32(&body, &r.uidnext);
	(void)get_u64(&body, &r.modseq);
	r.payload = body;
	r.payload_at = *at + MAILBOX_LOG_FRAME;
	*at += PREFIX + len;
	*in = rest;
	*out = r;
	return 0;
}

bool
mailbox_log_resync(struct span *in, uint64_t *at, uint64_t id)
{
	struct mailbox_log_record r;
	uint64_t where, budget = (uint64_t)in->n * RESYNC_TIMES;
	struct span rest, len;
	uint32_t n;

	/*
	 * Each byte is tried. A length that could be one is rare among bytes
	 * that are none; a file made of nothing else is given up.
	 */
	while (in->n > 0) {
		span_take(in, 1);
		(*at)++;
		rest = len = *in;
		where = *at;
		if (mailbox_log_take(&rest, &where, id, &r) == 0)
			return true;
		if (get_u32(&len, &n) == 0 && n <= MAILBOX_LOG_RECORD_MAX &&
		    n <= in->n) {
			if (budget < n)
				break;
			budget -= n;
		}
	}
	*at += in->n;
	span_take(in, in->n);
	return false;
}

void
mailbox_log_name_put(struct buf *b, struct span name)
{
	assert(name.n <= UINT8_MAX);
	put_u8(b, (uint8_t)name.n);
	put_u32(b, crc32c(0, name.p, name.n));
	buf_span(b, name);
}

int
mailbox_log_name_get(struct span *in, struct span *name)
{
	struct span rest = *in, s;
	uint32_t crc;
	uint8_t n;

	if (get_u8(&rest, &n) == -1 || get_u32(&rest, &crc) == -1 ||
	    n > rest.n || n == 0)
		return -1;
	s = span_take(&rest, n);
	if (crc != crc32c(0, s.p, s.n) || span_has(s, '/'))
		return -1;
	if (s.p[0] == '\0' ? s.n != 9 : span_has(s, '\0') || s.p[0] == '.')
		return -1;
	*in = rest;
	*name = s;
	return 0;
}

void
mailbox_log_new_put(struct buf *b, const struct mailbox_log_new *m)
{
	put_u32(b, m->uid);
	put_u16(b, m->flags);
	put_u8(b, (uint8_t)m->bits);
	put_u8(b, m->size_known);
	put_u64(b, m->keywords);
	put_u64(b, m->modseq);
	put_u64(b, (uint64_t)m->date);
	put_u64(b, m->size);
	mailbox_log_name_put(b, m->name);
}

int
mailbox_log_new_get(struct span *in, struct mailbox_log_new *out)
{
	struct span rest = *in;
	struct mailbox_log_new m;
	uint64_t date;
	uint8_t bits, known;

	if (get_u32(&rest, &m.uid) == -1 || get_u16(&rest, &m.flags) == -1 ||
	    get_u8(&rest, &bits) == -1 || get_u8(&rest, &known) == -1 ||
	    get_u64(&rest, &m.keywords) == -1 ||
	    get_u64(&rest, &m.modseq) == -1 || get_u64(&rest, &date) == -1 ||
	    get_u64(&rest, &m.size) == -1)
		return -1;
	m.name_at = (size_t)(rest.p - in->p);
	if (mailbox_log_name_get(&rest, &m.name) == -1 || m.uid == 0)
		return -1;
	m.bits = bits;
	m.size_known = known != 0;
	m.date = (int64_t)date;
	*in = rest;
	*out = m;
	return 0;
}

void
mailbox_ranges_end(struct mailbox_ranges *r)
{
	if (r->first == 0)
		return;
	put_u32(r->out, r->first);
	put_u32(r->out, r->last);
	r->first = 0;
}

void
mailbox_ranges_add(struct mailbox_ranges *r, uint32_t uid)
{
	if (r->first != 0 && uid == r->last + 1) {
		r->last = uid;
		return;
	}
	mailbox_ranges_end(r);
	r->first = r->last = uid;
}

int
mailbox_range_get(struct span *in, uint32_t *first, uint32_t *last)
{
	struct span rest = *in;
	uint32_t a, b;

	if (get_u32(&rest, &a) == -1 || get_u32(&rest, &b) == -1 || a == 0 ||
	    a > b)
		return -1;
	*in = rest;
	*first = a;
	*last = b;
	return 0;
}

void
mailbox_state_put(struct buf *b, const struct mailbox_state *s)
{
	put_u8(b, (uint8_t)s->kind);
	put_u64(b, s->ino);
	put_u64(b, (uint64_t)s->mtime);
}

int
mailbox_state_get(struct span *in, struct mailbox_state *out)
{
	struct span rest = *in;
	uint64_t ino, mtime;
	uint8_t kind;

	if (get_u8(&rest, &kind) == -1 || kind > STATE_SETTLED ||
	    get_u64(&rest, &ino) == -1 || get_u64(&rest, &mtime) == -1)
		return -1;
	*in = rest;
	out->kind = (enum mailbox_state_kind)kind;
	out->ino = ino;
	out->mtime = (int64_t)mtime;
	return 0;
}
