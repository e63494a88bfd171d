/*
 * mailbox_map: the table as it was at some place of the log, so that an open
 * need not read the log from its beginning.
 *
 *	offset 0    head, MAP_HEAD bytes:
 *	            "PstMap1\n", u64 id of the log, u64 place in it,
 *	            u32 UIDVALIDITY, u32 UIDNEXT, u64 modseq,
 *	            u64 place up to which the log is synced,
 *	            states of cur/ and new/ (lib/mailbox_log.c),
 *	            u32 rows, u32 bytes of keywords, u32 checksum of rows and
 *	            keywords, zeros, u32 checksum of the head before it
 *	128         rows, MAP_ROW bytes each, by uid:
 *	            u32 uid, u16 flags, u8 bits, u8 size known, u64 keywords,
 *	            u64 modseq, u64 date, u64 size, u64 hash of the base of its
 *	            file's name, u32 where in the log the name is, u32 zero
 *	then        keywords: u8 bit, u8 length, bytes
 *
 * It is read with read(2), piece by piece, not mapped: another program that
 * cuts the file short must not kill the session (SIGBUS), and a view of its own
 * is needed anyway. Replaced by rename, never written to. Not synced: a map
 * that does not agree with its checksums is as good as none.
 */
#include "lib/mailbox_impl.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/sys/endian.h>

#include "lib/crc.h"
#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"

static const char magic[] = "PstMap1\n";

enum {
	MAP_HEAD = 128,
	MAP_ROW = 56,
	MAP_KEYWORDS_MAX = MAILBOX_KEYWORDS_MAX *
	    (2 + IMAP_KEYWORD_MAX),
	MAP_MAX = MAP_HEAD + MAP_ROW * MAILDIR_MESSAGES_MAX +
	    MAP_KEYWORDS_MAX,
	MAP_PIECE = MAP_ROW * 1024, /* read at once; not under MAP_KEYWORDS_MAX */
	MAP_TAIL = 32 * 1024, /* of the log, that may follow a small map */
};

static_assert(MAP_PIECE >= MAP_KEYWORDS_MAX, "both go through one window");

struct map_head {
	uint64_t id, at, modseq, synced;
	uint32_t uidvalidity, uidnext, rows, keywords, crc;
	struct mailbox_state cur, new;
};

static int
head_decode(struct span in, struct map_head *h)
{
	struct span head = span_slice(in, 0, MAP_HEAD);

	if (head.n != MAP_HEAD || !span_starts(head, span_str(magic)) ||
	    crc32c(0, head.p, MAP_HEAD - 4) !=
		be32dec(head.p + MAP_HEAD - 4))
		return -1;
	span_take(&head, sizeof(magic) - 1);
	if (get_u64(&head, &h->id) == -1 || get_u64(&head, &h->at) == -1 ||
	    get_u32(&head, &h->uidvalidity) == -1 ||
	    get_u32(&head, &h->uidnext) == -1 ||
	    get_u64(&head, &h->modseq) == -1 ||
	    get_u64(&head, &h->synced) == -1 ||
	    mailbox_state_get(&head, &h->cur) == -1 ||
	    mailbox_state_get(&head, &h->new) == -1 ||
	    get_u32(&head, &h->rows) == -1 ||
	    get_u32(&head, &h->keywords) == -1 ||
	    get_u32(&head, &h->crc) == -1)
		return -1;
	if (h->rows > MAILDIR_MESSAGES_MAX || h->keywords > MAP_KEYWORDS_MAX ||
	    h->uidvalidity == 0 || h->uidnext == 0)
		return -1;
	return 0;
}

static int
row_decode(const unsigned char *p, uint32_t after, struct row *r)
{
	*r = (struct row){ 0 };
	r->m.uid = be32dec(p);
	r->m.flags = (uint32_t)(p[4] << 8 | p[5]) & MF_STORED;
	r->bits = p[6] & ROW_STORED;
	r->m.size_known = p[7] != 0;
	r->m.keywords = be64dec(p + 8);
	r->m.modseq = be64dec(p + 16);
	r->m.internaldate = (int64_t)be64dec(p + 24);
	r->m.size = be64dec(p + 32);
	r->hash = be64dec(p + 40);
	r->name_at = be32dec(p + 48);
	return r->m.uid > after ? 0 : -1;
}

static int
keywords_decode(struct table *t, struct span in)
{
	struct span name;
	uint8_t bit, n;

	while (in.n > 0) {
		if (get_u8(&in, &bit) == -1 || get_u8(&in, &n) == -1 ||
		    bit >= MAILBOX_KEYWORDS_MAX || t->keyword[bit] != NULL ||
		    n > in.n)
			return -1;
		name = span_take(&in, n);
		if (!keyword_ok(name))
			return -1;
		t->keyword[bit] = span_dup(name);
	}
	return 0;
}

/* A map that is read piece by piece: begin, rows, end. */
struct map_reader {
	struct map_head h;
	struct table *t;
	uint32_t crc;
};

/* size: of the whole. */
static int
reader_begin(struct map_reader *r, struct table *t, struct span head,
    uint64_t size)
{
	r->t = t;
	r->crc = 0;
	if (head_decode(head, &r->h) == -1 ||
	    size != MAP_HEAD + (uint64_t)r->h.rows * MAP_ROW + r->h.keywords)
		return -1;
	t->cap = r->h.rows + 16;
	t->row = xreallocarray(NULL, t->cap, sizeof(*t->row));
	t->n = 0;
	return 0;
}

static int
reader_rows(struct map_reader *r, struct span in)
{
	struct table *t = r->t;
	uint32_t after = t->n == 0 ? 0 : t->row[t->n - 1].m.uid;
	const unsigned char *p = (const unsigned char *)in.p;

	r->crc = crc32c(r->crc, in.p, in.n);
	for (size_t n = in.n / MAP_ROW; n > 0; n--, p += MAP_ROW) {
		if (row_decode(p, after, &t->row[t->n]) == -1)
			return -1;
		after = t->row[t->n++].m.uid;
	}
	return 0;
}

/* in: the keywords. */
static int
reader_end(struct map_reader *r, struct span in, uint64_t *id, uint64_t *at)
{
	const struct map_head *h = &r->h;
	struct table *t = r->t;

	if (in.n != h->keywords || crc32c(r->crc, in.p, in.n) != h->crc ||
	    keywords_decode(t, in) == -1 ||
	    (t->n > 0 && h->uidnext <= t->row[t->n - 1].m.uid))
		return -1;
	t->uidvalidity = h->uidvalidity;
	t->uidnext = h->uidnext;
	t->modseq = h->modseq;
	t->synced = h->synced;
	t->promised = h->synced == 0 && h->rows > 0 ? h->at : h->synced;
	t->cur = h->cur;
	t->new = h->new;
	*id = h->id;
	*at = h->at;
	return 0;
}

int
mailbox_map_decode(struct span in, struct table *t, uint64_t *id, uint64_t *at)
{
	struct map_reader r;

	if (reader_begin(&r, t, in, in.n) == -1)
		return -1;
	span_take(&in, MAP_HEAD);
	if (reader_rows(&r, span_take(&in, (size_t)r.h.rows * MAP_ROW)) == -1)
		return -1;
	return reader_end(&r, in, id, at);
}

static void
row_encode(struct buf *b, const struct row *r)
{
	unsigned char p[MAP_ROW];

	be32enc(p, r->m.uid);
	be32enc(p + 4, (r->m.flags & MF_STORED) << 16 |
		(uint32_t)(r->bits & ROW_STORED) << 8 | r->m.size_known);
	be64enc(p + 8, r->m.keywords);
	be64enc(p + 16, r->m.modseq);
	be64enc(p + 24, (uint64_t)r->m.internaldate);
	be64enc(p + 32, r->m.size);
	be64enc(p + 40, r->hash);
	be32enc(p + 48, r->name_at);
	be32enc(p + 52, 0);
	buf_bytes(b, p, sizeof(p));
}

void
mailbox_map_encode(struct buf *out, const struct table *t, uint64_t id,
    uint64_t at)
{
	struct buf body;
	size_t rows, i;
	uint32_t n = 0;

	buf_init(&body, MAP_MAX);
	for (i = 0; i < t->n; i++)
		if (!t->row[i].m.gone) {
			row_encode(&body, &t->row[i]);
			n++;
		}
	rows = body.n;
	for (i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
		if (t->keyword[i] == NULL)
			continue;
		put_u8(&body, (uint8_t)i);
		put_u8(&body, (uint8_t)strlen(t->keyword[i]));
		buf_str(&body, t->keyword[i]);
	}
	buf_str(out, magic);
	put_u64(out, id);
	put_u64(out, at);
	put_u32(out, t->uidvalidity);
	put_u32(out, t->uidnext);
	put_u64(out, t->modseq);
	put_u64(out, t->synced);
	mailbox_state_put(out, &t->cur);
	mailbox_state_put(out, &t->new);
	put_u32(out, n);
	put_u32(out, (uint32_t)(body.n - rows));
	put_u32(out, crc32c(0, body.p, body.n));
	while (out->n < MAP_HEAD - 4 && !out->bad)
		buf_char(out, '\0');
	put_u32(out, crc32c(0, out->p, out->n));
	buf_span(out, buf_get(&body));
	out->bad = out->bad || body.bad;
	buf_fini(&body);
}

/*
 * Through a small window: a large one would be memory that is asked for and
 * cleared by the kernel for nothing else.
 */
static int
map_read_rows(int fd, struct map_reader *r, struct buf *b)
{
	uint64_t at = MAP_HEAD, left = (uint64_t)r->h.rows * MAP_ROW;
	size_t n;

	for (; left > 0; at += n, left -= n) {
		n = left < MAP_PIECE ? (size_t)left : MAP_PIECE;
		buf_clear(b);
		if (read_at(fd, b, at, n) == -1 || b->n != n ||
		    reader_rows(r, buf_get(b)) == -1)
			return -1;
	}
	buf_clear(b);
	return read_at(fd, b, at, r->h.keywords);
}

static int
map_read(int dirfd, struct table *t, uint64_t *id, uint64_t *at)
{
	struct map_reader r;
	struct stat st;
	struct buf b;
	int fd, rc = -1;

	buf_init(&b, MAP_PIECE);
	fd = openat(dirfd, MAP_NAME,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    read_at(fd, &b, 0, MAP_HEAD) == 0 &&
	    reader_begin(&r, t, buf_get(&b), (uint64_t)st.st_size) == 0 &&
	    map_read_rows(fd, &r, &b) == 0)
		rc = reader_end(&r, buf_get(&b), id, at);
	fd_close(&fd);
	buf_fini(&b);
	return rc;
}

/*
 * The map outlived a power failure, the end of the log did not. Once the log
 * had grown to where the map ends, it would be believed again.
 */
static void
map_outlived(struct mailbox *m, uint64_t at)
{
	struct stat st;

	if (fstat(m->log, &st) == 0 && at > (uint64_t)st.st_size)
		(void)unlinkat(m->dir, MAP_NAME, 0);
}

int
map_load(struct mailbox *m, uint64_t log_size)
{
	uint32_t validity = m->t.uidvalidity;
	uint64_t id, at;

	if (map_read(m->dir, &m->t, &id, &at) == -1 || id != m->id ||
	    m->t.uidvalidity != validity)
		return -1;
	if (at > log_size) {
		map_outlived(m, at);
		return -1;
	}
	m->at = m->map_at = at;
	return 0;
}

int
map_recover(struct mailbox *m)
{
	uint64_t id, at;

	table_fini(&m->t);
	if (map_read(m->dir, &m->t, &id, &at) == -1) {
		table_fini(&m->t);
		return -1;
	}
	for (uint32_t i = 0; i < m->t.n; i++) {
		m->t.row[i].name_at = 0;
		m->t.row[i].bits |= ROW_ODD;
	}
	return 0;
}

/*
 * Reading so much of the log again would cost more than this map. It does
 * not tell that there is something to be synced.
 */
bool
map_due(const struct mailbox *m)
{
	if (m->t.synced > 0 && m->t.promised > m->t.synced)
		return false;
	return m->at - m->map_at >
	    MAP_TAIL + (uint64_t)m->t.n * MAP_ROW / 8;
}

int
map_write(struct mailbox *m)
{
	struct buf b, tmp;
	int fd = -1, rc = -1;

	buf_init(&b, MAP_MAX);
	buf_init(&tmp, PATH_LEN_MAX);
	mailbox_map_encode(&b, &m->t, m->id, m->at);
	if (b.bad)
		goto out;
	fd = index_create(m, &tmp);
	if (fd == -1)
		goto out;
	if (write_all(fd, buf_get(&b)) == -1) {
		(void)unlinkat(m->dir, buf_cstr(&tmp), 0);
		goto out;
	}
	if (index_publish(m, &tmp, MAP_NAME, false) == 0) {
		m->map_at = m->at;
		rc = 0;
	}
out:
	fd_close(&fd);
	buf_fini(&b);
	buf_fini(&tmp);
	return rc;
}
