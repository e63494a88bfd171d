/*
 * mime: any bytes are a message. Its tree must nest, its counts must be true
 * (counted again here), its record must open, and what is told of it must be
 * RFC 3501's grammar.
 */
#include "lib/mime.h"

#include <assert.h>

#include "lib/limits.h"
#include "lib/structure.h"
#include "t/unit/structure_told.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What [from, to) is on the wire. */
static uint64_t
octets(struct span in, uint64_t from, uint64_t to)
{
	uint64_t n = to - from;

	for (; from < to; from++)
		n +=
		    in.p[from] == '\n' && (from == 0 || in.p[from - 1] != '\r');
	return n;
}

static uint64_t
lines(struct span in, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (; from < to; from++)
		n += in.p[from] == '\n';
	return n;
}

static void
check_part(struct span in, const struct mime *m, size_t i)
{
	const struct mime_part *p = &m->part[i], *c;
	uint64_t head = octets(in, p->mime.at, p->body.at);
	uint64_t body = octets(in, p->body.at, p->end.at);
	uint64_t rows = lines(in, p->body.at, p->end.at), from = p->body.at;
	size_t j, children = 0;

	assert(p->mime.at <= p->body.at && p->body.at <= p->end.at);
	assert(p->end.at <= in.n && p->next > i && p->next <= m->n);
	assert(head == mime_octets(&p->mime, &p->body));
	assert(body == mime_octets(&p->body, &p->end));
	assert(rows == p->end.lines - p->body.lines);
	for (j = i + 1; j < p->next; j = c->next, children++) {
		c = &m->part[j];
		assert(c->mime.at >= from && c->end.at <= p->end.at);
		from = c->end.at;
		check_part(in, m, j);
	}
	assert(j == p->next);
	assert(p->kind == MIME_LEAF       ? children == 0
		: p->kind == MIME_MESSAGE ? children == 1
					  : children > 0);
	assert(p->type.n > 0 && p->subtype.n > 0);
}

static bool
check_each(const struct structure_part *p, void *arg)
{
	struct span *in = arg;

	assert(p->mime <= p->mime_end && p->mime_end <= p->header);
	assert(p->header <= p->body && p->body <= p->end && p->end <= in->n);
	return true;
}

static void
check_record(struct span in)
{
	struct structure_part p;
	struct structure s;
	uint64_t size = octets(in, 0, in.n);
	uint32_t path[3];
	struct buf b;
	unsigned i;

	buf_init(&b, STRUCTURE_MAX);
	structure_make(in, &b);
	assert(!b.bad && structure_open(buf_get(&b), &s) == 0);
	assert(structure_size(&s) == size);
	structure_each(&s, check_each, &in);
	structure_must_be_told(&s);
	assert(structure_find(&s, NULL, 0, &p) == 0);
	assert(p.header == 0 && p.end == in.n && p.is_message &&
	    p.header_size + p.body_size == structure_size(&s));
	for (i = 0; i < 64; i++) {
		path[0] = i % 4;
		path[1] = i / 4 % 4;
		path[2] = i / 16;
		if (structure_find(&s, path, 1 + i % 3, &p) == 0)
			(void)check_each(&p, &in);
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct mime m;

	mime_parse(in, &m);
	assert(m.n > 0 && m.n <= MIME_PARTS_MAX && m.part[0].next == m.n);
	assert(m.part[0].mime.at == 0 && m.part[0].end.at == size);
	check_part(in, &m, 0);
	mime_fini(&m);
	check_record(in);
	return 0;
}
