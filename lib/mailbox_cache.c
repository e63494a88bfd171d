/*
 * mailbox_cache: what lib/structure.h made of each message, by uid.
 *
 *	offset 0    head, CACHE_HEAD bytes: "PstCch1\n", u32 UIDVALIDITY,
 *	            u32 version of the records
 *	16          entries: u32 uid, u32 length, u32 checksum of uid, length
 *	            and record, then the record
 *
 * Entries are appended with one write(2) each, without a lock: O_APPEND
 * keeps two sessions' apart. A uid may stand there twice; the first counts.
 * What comes after an entry that is cut or damaged is not read, and the file
 * is begun anew: a new one takes its name. Nothing is synced; nothing here
 * is needed.
 *
 * The places of the entries are learned by reading the file once, at first
 * use: four bytes a message, in units of CACHE_UNIT bytes; entries are padded
 * to that.
 */
#include "lib/mailbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc.h"
#include "lib/die.h"
#include "lib/ipc.h"
#include "lib/limits.h"
#include "lib/structure.h"

static const char magic[] = "PstCch1\n";

enum {
	CACHE_VERSION = 1,
	CACHE_HEAD = 16,
	CACHE_ENTRY = 12,
	CACHE_UNIT = 4,
	CACHE_READ = 64 * 1024,  /* at once: neighbours are wanted next */
	CACHE_SMALL = 1024 * 1024, /* no reason to begin anew */
	MESSAGE_MAX = 512 * 1024 * 1024, /* half of what lib/sandbox.c allows */
};
#define CACHE_MAX ((uint64_t)8 << 30)

struct place { /* an entry */
	uint32_t uid, at; /* in units */
};

struct mailbox_cache {
	int fd;
	struct place *place; /* by uid, once sorted */
	size_t n, cap;
	bool unsorted;
	uint64_t end;        /* read so far */
	uint64_t bytes;      /* of entries whose messages are there */
	bool bad;            /* to be begun anew */
	struct buf window;   /* bytes of the file from window_at on */
	uint64_t window_at;
	struct buf rec;      /* just made */
};

static uint64_t
entry_size(uint32_t len)
{
	return ((uint64_t)CACHE_ENTRY + len + CACHE_UNIT - 1) / CACHE_UNIT *
	    CACHE_UNIT;
}

static uint32_t
entry_crc(uint32_t uid, struct span rec)
{
	const uint32_t v[] = { uid, (uint32_t)rec.n };
	char head[8];

	for (unsigned i = 0; i < sizeof(head); i++)
		head[i] = (char)(unsigned char)(v[i / 4] >>
			(8 * (3 - i % 4)) & 0xff);
	return crc32c(crc32c(0, head, sizeof(head)), rec.p, rec.n);
}

int
mailbox_cache_entry(struct span *in, uint32_t *uid, struct span *rec)
{
	struct span rest = *in, s;
	uint32_t u, len, crc;

	if (get_u32(&rest, &u) == -1 || get_u32(&rest, &len) == -1 ||
	    get_u32(&rest, &crc) == -1 || u == 0 || len > STRUCTURE_MAX ||
	    len > rest.n || entry_size(len) > in->n)
		return -1;
	s = span_take(&rest, len);
	if (crc != entry_crc(u, s))
		return -1;
	span_take(in, (size_t)entry_size(len));
	*uid = u;
	*rec = s;
	return 0;
}

static int
place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static void
place_add(struct mailbox_cache *c, uint32_t uid, uint64_t at)
{
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		c->place = xreallocarray(c->place, c->cap, sizeof(*c->place));
	}
	c->unsorted = c->unsorted || (c->n > 0 && c->place[c->n - 1].uid >= uid);
	c->place[c->n++] = (struct place){ uid, (uint32_t)(at / CACHE_UNIT) };
}

static void
places_sort(struct mailbox_cache *c)
{
	size_t n = 0;

	if (!c->unsorted)
		return;
	qsort(c->place, c->n, sizeof(*c->place), place_order);
	c->unsorted = false;
	for (size_t i = 0; i < c->n; i++)
		if (n == 0 || c->place[n - 1].uid != c->place[i].uid)
			c->place[n++] = c->place[i];
	c->n = n;
}

static const struct place *
place_find(struct mailbox_cache *c, uint32_t uid)
{
	size_t low = 0, high, mid;

	places_sort(c);
	high = c->n;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (c->place[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n && c->place[low].uid == uid ? &c->place[low] : NULL;
}

/* Bytes from `at` on, need of them at least if they are there. */
static struct span
window(struct mailbox_cache *c, uint64_t at, size_t need)
{
	size_t skip;

	if (at < c->window_at || at + need > c->window_at + c->window.n) {
		buf_clear(&c->window);
		c->window_at = at;
		if (read_at(c->fd, &c->window, at,
			need > CACHE_READ ? need : CACHE_READ) == -1)
			buf_clear(&c->window);
	}
	skip = (size_t)(at - c->window_at);
	return span_slice(buf_get(&c->window), skip, c->window.n);
}

/*
 * The next entries' places. Records are not looked at: their checksums are
 * for whoever takes one.
 */
static void
places_read(struct mailbox *m)
{
	struct mailbox_cache *c = m->cache;
	struct stat st;
	struct span head;
	uint32_t uid, len;

	if (fstat(c->fd, &st) == -1 || (uint64_t)st.st_size > CACHE_MAX) {
		c->bad = true;
		return;
	}
	while (c->end + CACHE_ENTRY <= (uint64_t)st.st_size) {
		head = window(c, c->end, CACHE_ENTRY);
		if (get_u32(&head, &uid) == -1 || get_u32(&head, &len) == -1 ||
		    uid == 0 || len > STRUCTURE_MAX) {
			c->bad = true;
			break;
		}
		if (c->end + entry_size(len) > (uint64_t)st.st_size)
			break; /* being written, or cut by a crash */
		if (table_find(&m->t, uid) != NULL) {
			place_add(c, uid, c->end);
			c->bytes += entry_size(len);
		}
		c->end += entry_size(len);
	}
}

static bool
head_ok(int fd, uint32_t uidvalidity)
{
	struct span head;
	struct buf b;
	uint32_t validity, version;
	bool is;

	buf_init(&b, CACHE_HEAD);
	is = read_at(fd, &b, 0, CACHE_HEAD) == 0;
	head = buf_get(&b);
	is = is && span_starts(head, span_str(magic));
	span_take(&head, sizeof(magic) - 1);
	is = is && get_u32(&head, &validity) == 0 &&
	    get_u32(&head, &version) == 0 && validity == uidvalidity &&
	    version == CACHE_VERSION;
	buf_fini(&b);
	return is;
}

/* An empty one takes the name. */
static int
cache_begin(struct mailbox *m)
{
	struct mailbox_cache *c = m->cache;
	struct buf tmp, head;

	fd_close(&c->fd);
	c->n = 0;
	c->unsorted = false;
	c->bytes = 0;
	c->end = CACHE_HEAD;
	c->bad = false;
	buf_clear(&c->window);
	buf_init(&tmp, PATH_LEN_MAX);
	buf_init(&head, CACHE_HEAD);
	buf_str(&head, magic);
	put_u32(&head, m->t.uidvalidity);
	put_u32(&head, CACHE_VERSION);
	c->fd = index_create(m, &tmp);
	if (c->fd != -1 && (write_all(c->fd, buf_get(&head)) == -1 ||
	    index_publish(m, &tmp, CACHE_NAME, false) == -1))
		fd_close(&c->fd);
	buf_fini(&tmp);
	buf_fini(&head);
	return c->fd == -1 ? -1 : 0;
}

static void
cache_open(struct mailbox *m)
{
	struct mailbox_cache *c;

	if (m->cache != NULL)
		return;
	c = m->cache = xcalloc(1, sizeof(*c));
	buf_init(&c->window, STRUCTURE_MAX + CACHE_READ + CACHE_ENTRY);
	buf_init(&c->rec, STRUCTURE_MAX);
	c->end = CACHE_HEAD;
	c->fd = openat(m->dir, CACHE_NAME,
	    O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (c->fd == -1 || !head_ok(c->fd, m->t.uidvalidity)) {
		(void)cache_begin(m);
		return;
	}
	places_read(m);
	/* Damaged, or mostly about messages that are gone. */
	if (c->bad || (c->end > CACHE_SMALL && c->bytes < c->end / 4))
		(void)cache_begin(m);
}

void
cache_close(struct mailbox *m)
{
	if (m->cache == NULL)
		return;
	fd_close(&m->cache->fd);
	free(m->cache->place);
	buf_fini(&m->cache->window);
	buf_fini(&m->cache->rec);
	free(m->cache);
	m->cache = NULL;
}

/* Until it is asked again it holds no more than the places. */
void
cache_rest(struct mailbox *m)
{
	if (m->cache == NULL)
		return;
	buf_fini(&m->cache->window);
	buf_fini(&m->cache->rec);
}

static int
cache_get(struct mailbox *m, uint32_t uid, struct structure *s)
{
	struct mailbox_cache *c = m->cache;
	const struct place *p = place_find(c, uid);
	struct span in, len, rec;
	uint32_t found, n;
	uint64_t at;

	if (p == NULL || c->fd == -1)
		return -1;
	at = (uint64_t)p->at * CACHE_UNIT;
	len = span_slice(window(c, at, CACHE_ENTRY), 4, 8);
	if (get_u32(&len, &n) == -1 || n > STRUCTURE_MAX)
		goto bad;
	in = window(c, at, (size_t)entry_size(n));
	if (mailbox_cache_entry(&in, &found, &rec) == -1 || found != uid ||
	    structure_open(rec, s) == -1)
		goto bad;
	return 0;
bad:
	(void)cache_begin(m);
	return -1;
}

/* Best effort: a full disk costs parsing it again. */
static void
cache_put(struct mailbox *m, uint32_t uid, struct span rec)
{
	struct mailbox_cache *c = m->cache;
	struct stat st;
	struct buf b;
	uint64_t at;

	if (c->fd == -1)
		return;
	buf_init(&b, (size_t)entry_size(STRUCTURE_MAX));
	put_u32(&b, uid);
	put_u32(&b, (uint32_t)rec.n);
	put_u32(&b, entry_crc(uid, rec));
	buf_span(&b, rec);
	while (b.n % CACHE_UNIT != 0)
		buf_char(&b, '\0');
	at = c->end;
	if (b.bad || write(c->fd, b.p, b.n) != (ssize_t)b.n)
		c->bad = true;
	/* Others may have written before us: then their entries come first. */
	if (!c->bad && fstat(c->fd, &st) == 0 &&
	    (uint64_t)st.st_size == at + b.n) {
		place_add(c, uid, at);
		c->bytes += b.n;
		c->end += b.n;
	} else {
		places_read(m);
	}
	buf_fini(&b);
	if (c->bad || c->end == at)
		(void)cache_begin(m);
}

static int
make(struct mailbox *m, uint32_t seq)
{
	struct stat st;
	struct buf text;
	int fd, rc = -1;

	fd = mailbox_file(m, seq);
	if (fd == -1)
		return -1;
	buf_init(&text, 0);
	if (fstat(fd, &st) == -1)
		goto out;
	if (st.st_size > MESSAGE_MAX) {
		errno = EFBIG;
		goto out;
	}
	buf_init(&text, (size_t)st.st_size); /* no more memory than that */
	if (read_at(fd, &text, 0, (size_t)st.st_size) == -1)
		goto out;
	buf_clear(&m->cache->rec);
	structure_make(buf_get(&text), &m->cache->rec);
	if (m->cache->rec.bad)
		errno = EFBIG;
	else
		rc = 0;
out:
	fd_close(&fd);
	buf_fini(&text);
	return rc;
}

int
mailbox_structure(struct mailbox *m, uint32_t seq, struct structure *s)
{
	struct row *r;

	if (seq == 0 || seq > m->count) {
		errno = EINVAL;
		return -1;
	}
	cache_open(m);
	if (cache_get(m, m->t.row[seq - 1].m.uid, s) == -1) {
		if (make(m, seq) == -1)
			return -1;
		cache_put(m, m->t.row[seq - 1].m.uid, buf_get(&m->cache->rec));
		if (structure_open(buf_get(&m->cache->rec), s) == -1)
			die("a record of ours makes no sense");
	}
	/* What it says of the size is what counts from now on. */
	r = &m->t.row[seq - 1];
	r->m.size = structure_size(s);
	r->m.size_known = true;
	return 0;
}
