/*
 * spool: bytes of a spool file, to and fro. Pure: no file is touched here.
 * The file may come from a crash or from a hostile disk: every length is
 * checked against what is there, and outputs are set only when all is well.
 */
#include "lib/spool.h"

#include <assert.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/crc.h"
#include "lib/ipc.h"
#include "lib/ipc_mail.h"

static const char magic[] = "POSTERN1 ";

enum {
	HEAD_CRC_AT = SPOOL_HEAD - 1 - 8,
	RECORD_FRONT = 8, /* length, checksum */
	CODE_MAX = 16,
	TEXT_MAX = 640,
	MTA_MAX = HOST_MAX + 64, /* name, address, port */
};

static_assert(1 + 8 + 4 + 4 + 8 + 4 + CODE_MAX + 4 + TEXT_MAX + 4 + MTA_MAX <=
        (int)SPOOL_RECORD_MAX,
    "the longest record fits");

void
spool_head_encode(struct buf *b, const struct spool_head *h)
{
	size_t start = b->n;

	buf_str(b, magic);
	buf_char(b, h->whole ? 'W' : 'U');
	buf_char(b, ' ');
	buf_hex(b, h->envlen, 8);
	buf_char(b, ' ');
	buf_hex(b, h->envcrc, 8);
	buf_char(b, ' ');
	buf_hex(b, h->size, 16);
	buf_char(b, ' ');
	buf_hex(b, h->crc, 8);
	buf_char(b, ' ');
	if (b->bad)
		return;
	assert(b->n - start == HEAD_CRC_AT);
	buf_hex(b, crc32c(0, b->p + start, HEAD_CRC_AT), 8);
	buf_char(b, '\n');
}

/* Takes digits of lower-case hex and one byte after them off *in. */
static int
take_hex(struct span *in, size_t digits, char after, uint64_t *out)
{
	struct span s = span_take(in, digits);
	uint64_t v = 0;

	if (s.n != digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		if (!char_is(s.p[i], CH_HEX) || (s.p[i] >= 'A' && s.p[i] <= 'F'))
			return -1;
		v = v << 4 | (uint64_t)char_hex(s.p[i]);
	}
	s = span_take(in, 1);
	if (s.n != 1 || s.p[0] != after)
		return -1;
	*out = v;
	return 0;
}

int
spool_head_decode(struct span in, struct spool_head *out)
{
	struct span line = span_slice(in, 0, SPOOL_HEAD), mark;
	uint64_t envlen, envcrc, size, crc, headcrc;

	if (line.n != SPOOL_HEAD || !span_starts(line, span_str(magic)))
		return -1;
	span_take(&line, sizeof(magic) - 1);
	mark = span_take(&line, 2);
	if ((mark.p[0] != 'W' && mark.p[0] != 'U') || mark.p[1] != ' ')
		return -1;
	if (take_hex(&line, 8, ' ', &envlen) == -1 ||
	    take_hex(&line, 8, ' ', &envcrc) == -1 ||
	    take_hex(&line, 16, ' ', &size) == -1 ||
	    take_hex(&line, 8, ' ', &crc) == -1 ||
	    take_hex(&line, 8, '\n', &headcrc) == -1)
		return -1;
	if (headcrc != crc32c(0, in.p, HEAD_CRC_AT) ||
	    envlen > SPOOL_ENVELOPE_MAX || size > INT64_MAX / 2)
		return -1;
	*out = (struct spool_head){ mark.p[0] == 'W', (uint32_t)envlen,
		(uint32_t)envcrc, size, (uint32_t)crc };
	return 0;
}

void
spool_front_encode(struct buf *b, const struct envelope *e,
    const struct spool_final *final, size_t nfinal, bool whole, uint64_t size,
    uint32_t crc)
{
	struct spool_head h = { whole, 0, 0, size, crc };
	struct buf head;
	size_t start = b->n;

	if (buf_room(b, SPOOL_HEAD) == NULL)
		return;
	buf_grew(b, SPOOL_HEAD); /* filled in below */
	ipc_envelope_encode(b, e);
	put_u32(b, (uint32_t)nfinal);
	for (size_t i = 0; i < nfinal; i++) {
		put_u32(b, final[i].from);
		put_span(b, final[i].address);
	}
	if (b->bad)
		return;
	h.envlen = (uint32_t)(b->n - start - SPOOL_HEAD);
	h.envcrc = crc32c(0, b->p + start + SPOOL_HEAD, h.envlen);
	if (h.envlen > SPOOL_ENVELOPE_MAX) {
		b->bad = true;
		return;
	}
	buf_init(&head, SPOOL_HEAD);
	spool_head_encode(&head, &h);
	assert(head.n == SPOOL_HEAD);
	memcpy(b->p + start, head.p, SPOOL_HEAD);
	buf_fini(&head);
}

int
spool_front_decode(struct span in, const struct spool_head *h,
    struct envelope *e, struct spool_final *final, size_t *nfinal)
{
	uint32_t n;

	if (in.n < h->envlen)
		return -1;
	in = span_slice(in, 0, h->envlen);
	if (crc32c(0, in.p, in.n) != h->envcrc ||
	    ipc_envelope_decode(&in, e) == -1 || get_u32(&in, &n) == -1 ||
	    n == 0 || n > SPOOL_FINAL_MAX)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (get_u32(&in, &final[i].from) == -1 ||
		    final[i].from >= e->nrcpt ||
		    get_text(&in, &final[i].address, SMTP_PATH_MAX) == -1 ||
		    final[i].address.n == 0)
			return -1;
	if (in.n != 0)
		return -1;
	*nfinal = n;
	return 0;
}

/*
 * What a worker or another host said, as record_decode() wants it: a control
 * in it would end the log there, and with it all that comes after.
 */
static void
put_safe(struct buf *b, struct span s, size_t max)
{
	struct buf safe;

	buf_init(&safe, max);
	buf_safe(&safe, span_slice(s, 0, max));
	put_span(b, buf_get(&safe));
	buf_fini(&safe);
}

void
spool_record_encode(struct buf *b, const struct spool_record *r)
{
	struct buf p;

	buf_init(&p, SPOOL_RECORD_MAX);
	put_u8(&p, (uint8_t)r->type);
	put_u64(&p, (uint64_t)r->when);
	put_u32(&p, r->rcpt);
	put_u32(&p, r->code);
	put_u64(&p, (uint64_t)r->next);
	put_safe(&p, r->enhanced, CODE_MAX);
	put_safe(&p, r->text, TEXT_MAX);
	if (r->host.n > 0)
		put_safe(&p, r->host, MTA_MAX);
	assert(!p.bad);
	put_u32(b, (uint32_t)p.n);
	put_u32(b, crc32c(0, p.p, p.n));
	buf_span(b, buf_get(&p));
	buf_fini(&p);
}

static int
record_decode(struct span in, struct spool_record *out)
{
	struct spool_record r;
	uint64_t when, next;
	uint8_t type;

	if (get_u8(&in, &type) == -1 || type < SPOOL_RESULT ||
	    type > SPOOL_RELEASED || get_u64(&in, &when) == -1 ||
	    when > INT64_MAX || get_u32(&in, &r.rcpt) == -1 ||
	    get_u32(&in, &r.code) == -1 || get_u64(&in, &next) == -1 ||
	    next > INT64_MAX || get_text(&in, &r.enhanced, CODE_MAX) == -1 ||
	    get_text(&in, &r.text, TEXT_MAX) == -1)
		return -1;
	r.host = SPAN_NONE;
	if (in.n != 0 && (get_text(&in, &r.host, MTA_MAX) == -1 || in.n != 0))
		return -1;
	r.type = (enum spool_record_type)type;
	r.when = (int64_t)when;
	r.next = (int64_t)next;
	*out = r;
	return 0;
}

int
spool_record_next(struct span *in, struct spool_record *out)
{
	struct span rest = *in, body;
	uint32_t len, crc;

	if (get_u32(&rest, &len) == -1 || len > SPOOL_RECORD_MAX ||
	    get_u32(&rest, &crc) == -1 || rest.n < len)
		return 0;
	body = span_take(&rest, len);
	if (crc32c(0, body.p, body.n) != crc || record_decode(body, out) == -1)
		return 0;
	*in = rest;
	return 1;
}
