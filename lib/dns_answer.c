/*
 * dns_answer: a message is a header of twelve bytes, the question, and
 * records in three sections:
 *
 *	id flags qdcount ancount nscount arcount	16 bits each
 *	name type class
 *	name type class ttl(32) length(16) data		and so on
 *
 * A name is labels (length, bytes), ended by an empty one or by a pointer
 * (11xxxxxx xxxxxxxx) to labels further up. Here a pointer must lead before
 * the labels it stands behind, so there is no loop; names are compared in
 * their expanded form, in lower case.
 *
 * The answer section is walked from the question's name through CNAMEs to
 * the name that has the records. Sections are read again for each step: there
 * are few, and no order is promised.
 */
#include "lib/dns_answer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/ipc_dns.h"

enum {
	WIRE_NAME_MAX = 255, /* RFC 1035 2.3.4 */
	LABEL_MAX = 63,
	TYPE_SOA = 6,
	CLASS_IN = 1,
	RCODE_NXDOMAIN = 3,
};

static_assert((int)DNS_MESSAGE_MAX + (DNS_RECORDS_MAX + 2) * DNS_NAME_MAX <=
    (int)DNS_ANSWER_MEM, "no answer needs more");
static_assert((int)DNS_ANSWER_MEM + DNS_RECORDS_MAX * 16 + 1024 <=
    (int)IPC_BODY_MAX, "every answer fits into a packet");

struct name { /* expanded, lower case, with the final empty label */
	size_t n;
	unsigned char wire[WIRE_NAME_MAX];
};

struct record {
	struct name owner;
	uint16_t type, class;
	uint32_t ttl;
	size_t data, end; /* offsets in the message */
};

struct message {
	struct span all;
	uint16_t flags, answers, authorities;
	size_t records; /* where the first one begins */
};

/* --- names ------------------------------------------------------------- */

static unsigned
byte_at(struct span s, size_t at)
{
	return (unsigned char)s.p[at];
}

/* A pointer at *at is followed; -1: it leads nowhere, or not upwards. */
static int
pointer_follow(struct span s, size_t *at, size_t *segment)
{
	size_t to;

	if (*at + 2 > s.n)
		return -1;
	to = (byte_at(s, *at) & 0x3f) << 8 | byte_at(s, *at + 1);
	if (to >= *segment)
		return -1;
	*at = *segment = to;
	return 0;
}

static int
label_add(struct span s, size_t at, size_t n, struct name *out)
{
	if (at + 1 + n > s.n || out->n + 1 + n > sizeof(out->wire))
		return -1;
	out->wire[out->n++] = (unsigned char)n;
	for (size_t i = 1; i <= n; i++)
		out->wire[out->n++] = (unsigned char)char_lower(s.p[at + i]);
	return 0;
}

/* The name at *at, which is moved behind it. */
static int
name_read(struct span s, size_t *at, struct name *out)
{
	size_t i = *at, segment = *at, n;
	bool jumped = false;

	out->n = 0;
	do {
		if (i >= s.n)
			return -1;
		n = byte_at(s, i);
		if (n > LABEL_MAX) {
			if (n < 0xc0)
				return -1;
			if (!jumped)
				*at = i + 2;
			jumped = true;
			if (pointer_follow(s, &i, &segment) == -1)
				return -1;
			n = 1; /* not the end yet */
			continue;
		}
		if (label_add(s, i, n, out) == -1)
			return -1;
		i += 1 + n;
	} while (n != 0);
	if (!jumped)
		*at = i;
	return 0;
}

static bool
name_eq(const struct name *a, const struct name *b)
{
	return a->n == b->n && memcmp(a->wire, b->wire, a->n) == 0;
}

/* RFC 2317 puts a slash into reverse names; nobody else has use for it. */
static bool
is_host_char(char c, bool slash)
{
	return char_is(c, CH_ALNUM) || c == '-' || c == '_' ||
	    (slash && c == '/');
}

/* As text without the final dot; the root is "". -1: not a host's name. */
static int
name_text(const struct name *name, bool slash, struct buf *mem, struct span *t)
{
	size_t from = mem->n, at = 0, n;

	while ((n = name->wire[at++]) != 0) {
		if (mem->n > from)
			buf_char(mem, '.');
		for (; n > 0; n--, at++) {
			if (!is_host_char((char)name->wire[at], slash))
				return -1;
			buf_char(mem, (char)name->wire[at]);
		}
	}
	if (mem->bad || mem->n - from > DNS_NAME_MAX)
		return -1;
	*t = span_of(mem->p + from, mem->n - from);
	return 0;
}

/* Text, as dns_answer_question() makes it. */
static int
name_of(struct span text, struct name *out)
{
	struct span label;

	out->n = 0;
	while (text.n > 0) {
		label = span_cut(&text, '.');
		if (label.n == 0 || label.n > LABEL_MAX ||
		    out->n + 1 + label.n + 1 > sizeof(out->wire))
			return -1;
		out->wire[out->n++] = (unsigned char)label.n;
		for (size_t i = 0; i < label.n; i++)
			out->wire[out->n++] =
			    (unsigned char)char_lower(label.p[i]);
	}
	out->wire[out->n++] = 0;
	return 0;
}

/* --- the question ------------------------------------------------------ */

static void
reverse4(const unsigned char *a, struct buf *name)
{
	buf_fmt(name, "%u.%u.%u.%u.in-addr.arpa", a[3], a[2], a[1], a[0]);
}

static void
reverse6(const unsigned char *a, struct buf *name)
{
	for (size_t i = 16; i-- > 0;)
		buf_fmt(name, "%x.%x.", a[i] & 15u, a[i] >> 4 & 15u);
	buf_str(name, "ip6.arpa");
}

static int
reverse(struct span address, struct buf *name)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char a[16];

	if (span_copy(text, sizeof(text), address) == -1)
		return -1;
	if (inet_pton(AF_INET, text, a) == 1)
		reverse4(a, name);
	else if (inet_pton(AF_INET6, text, a) == 1)
		reverse6(a, name);
	else
		return -1;
	return name->bad ? -1 : 0;
}

int
dns_answer_question(const struct ipc_dns *q, struct buf *name)
{
	struct name wire;

	switch (q->type) {
	case DNS_PTR:
		return reverse(q->name, name);
	case DNS_A:
	case DNS_AAAA:
	case DNS_CNAME:
	case DNS_MX:
	case DNS_TXT:
	case DNS_TLSA:
		break;
	default:
		return -1;
	}
	if (q->name.n == 0 || q->name.n > DNS_NAME_MAX ||
	    q->name.p[q->name.n - 1] == '.' || name_of(q->name, &wire) == -1)
		return -1;
	for (size_t i = 0; i < q->name.n; i++) {
		if (q->name.p[i] != '.' && !is_host_char(q->name.p[i], false))
			return -1;
		buf_char(name, char_lower(q->name.p[i]));
	}
	return name->bad ? -1 : 0;
}

/* --- the message ------------------------------------------------------- */

static uint16_t
u16_at(struct span s, size_t at)
{
	return (uint16_t)(byte_at(s, at) << 8 | byte_at(s, at + 1));
}

static uint32_t
u32_at(struct span s, size_t at)
{
	return (uint32_t)u16_at(s, at) << 16 | u16_at(s, at + 2);
}

/* The header, and one question: the one that was asked. */
static int
message_begin(
    struct span s, uint32_t type, const struct name *asked, struct message *m)
{
	struct name name;
	size_t at = 12;

	if (s.n < 12 || (u16_at(s, 2) & 0x8000) == 0 || u16_at(s, 4) != 1)
		return -1;
	m->all = s;
	m->flags = u16_at(s, 2);
	m->answers = u16_at(s, 6);
	m->authorities = u16_at(s, 8);
	if (name_read(s, &at, &name) == -1 || at + 4 > s.n ||
	    !name_eq(&name, asked) || u16_at(s, at) != type ||
	    u16_at(s, at + 2) != CLASS_IN)
		return -1;
	m->records = at + 4;
	return 0;
}

static int
record_read(struct span s, size_t *at, struct record *r)
{
	size_t i;

	if (name_read(s, at, &r->owner) == -1 || *at + 10 > s.n)
		return -1;
	i = *at;
	r->type = u16_at(s, i);
	r->class = u16_at(s, i + 2);
	r->ttl = u32_at(s, i + 4);
	if (r->ttl > INT32_MAX) /* RFC 2181 8 */
		r->ttl = 0;
	r->data = i + 10;
	r->end = r->data + u16_at(s, i + 8);
	if (r->end > s.n)
		return -1;
	*at = r->end;
	return 0;
}

/* A name that ends where the record ends. */
static int
record_name(struct span s, const struct record *r, size_t at, struct name *out)
{
	struct span upto = span_slice(s, 0, r->end);

	return name_read(upto, &at, out) == 0 && at == r->end ? 0 : -1;
}

/* --- records ----------------------------------------------------------- */

static int
take_address(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	size_t from = mem->n, n = r->type == DNS_A ? 4 : 16;

	if (r->end - r->data != n)
		return -1;
	buf_bytes(mem, s.p + r->data, n);
	out->data = span_of(mem->p + from, n);
	return 0;
}

static int
take_name(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	struct name name;

	if (record_name(s, r, r->data, &name) == -1)
		return -1;
	return name_text(&name, false, mem, &out->data);
}

static int
take_mx(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	struct name name;

	if (r->end - r->data < 3 ||
	    record_name(s, r, r->data + 2, &name) == -1)
		return -1;
	out->pref = u16_at(s, r->data);
	return name_text(&name, false, mem, &out->data);
}

/* Strings of one length byte each, joined (RFC 7208 3.3, RFC 6376 3.6.2.2) */
static int
take_txt(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	size_t from = mem->n, at = r->data, n;

	while (at < r->end) {
		n = byte_at(s, at++);
		if (at + n > r->end)
			return -1;
		buf_bytes(mem, s.p + at, n);
		at += n;
	}
	out->data = span_of(mem->p + from, mem->n - from);
	for (size_t i = 0; i < out->data.n; i++)
		if (char_is(out->data.p[i], CH_CTL))
			return -1;
	return out->data.n > DNS_DATA_MAX ? -1 : 0;
}

/* RFC 6698 2.1. What cannot be used is for the asker to see (RFC 7672 2.2) */
static int
take_tlsa(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	size_t from = mem->n, n = r->end - r->data;

	if (n < 3 || n - 3 > DNS_DATA_MAX)
		return -1;
	out->usage = (uint8_t)byte_at(s, r->data);
	out->selector = (uint8_t)byte_at(s, r->data + 1);
	out->matching = (uint8_t)byte_at(s, r->data + 2);
	buf_bytes(mem, s.p + r->data + 3, n - 3);
	out->data = span_of(mem->p + from, n - 3);
	return 0;
}

static int
record_take(struct span s, const struct record *r, struct buf *mem,
    struct dns_record *out)
{
	size_t before = mem->n;
	int rc;

	*out = (struct dns_record){ 0 };
	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		rc = take_address(s, r, mem, out);
		break;
	case DNS_MX:
		rc = take_mx(s, r, mem, out);
		break;
	case DNS_TXT:
		rc = take_txt(s, r, mem, out);
		break;
	case DNS_TLSA:
		rc = take_tlsa(s, r, mem, out);
		break;
	default:
		rc = take_name(s, r, mem, out);
		break;
	}
	if (rc == -1)
		mem->n = before;
	return rc;
}

/* --- the answer -------------------------------------------------------- */

static void
later(struct ipc_dns_is *is, const char *why)
{
	is->status = DNS_TEMP;
	is->why = span_str(why);
	is->ttl = 0;
	is->n = 0;
}

/* Lowers is->ttl, and says whether the records could be read at all. */
static int
cname_of(const struct message *m, const struct name *owner, struct name *target,
    struct ipc_dns_is *is)
{
	size_t at = m->records;
	struct record r;

	for (unsigned i = 0; i < m->answers; i++) {
		if (record_read(m->all, &at, &r) == -1)
			return -1;
		if (r.type != DNS_CNAME || r.class != CLASS_IN ||
		    !name_eq(&r.owner, owner))
			continue;
		if (record_name(m->all, &r, r.data, target) == -1)
			return -1;
		if (r.ttl < is->ttl)
			is->ttl = r.ttl;
		return 1;
	}
	return 0;
}

/* From name, where the question was, to where its records are. */
static const char *
chain_follow(const struct message *m, uint32_t type, struct name *name,
    struct ipc_dns_is *is)
{
	struct name target;
	int rc;

	for (unsigned i = 0; i <= DNS_CHAIN_MAX; i++) {
		rc = cname_of(m, name, &target, is);
		if (rc == -1)
			return "malformed answer";
		if (rc == 0 || type == DNS_CNAME)
			return NULL;
		*name = target;
	}
	return "too many CNAMEs";
}

/*
 * The slot for one more, or NULL. Of MX the best are kept, in order, so that
 * a long list cannot hide them.
 */
static size_t
slot_for(uint16_t pref, struct record *kept, uint16_t *prefs, size_t n)
{
	size_t i = n;

	while (i > 0 && prefs[i - 1] > pref)
		i--;
	if (i == DNS_RECORDS_MAX)
		return i;
	if (n == DNS_RECORDS_MAX)
		n--;
	memmove(&kept[i + 1], &kept[i], (n - i) * sizeof(*kept));
	memmove(&prefs[i + 1], &prefs[i], (n - i) * sizeof(*prefs));
	return i;
}

/* Those of the answer section that are asked for, at most so many. */
static size_t
records_choose(const struct message *m, uint32_t type, const struct name *owner,
    struct record kept[DNS_RECORDS_MAX])
{
	uint16_t prefs[DNS_RECORDS_MAX], pref;
	size_t at = m->records, n = 0, slot;
	struct record r;

	for (unsigned i = 0; i < m->answers; i++) {
		if (record_read(m->all, &at, &r) == -1)
			break; /* cname_of() has read them all before */
		if (r.type != type || r.class != CLASS_IN ||
		    !name_eq(&r.owner, owner))
			continue;
		pref = type == DNS_MX && r.end - r.data >= 2
		    ? u16_at(m->all, r.data)
		    : 0;
		slot = slot_for(pref, kept, prefs, n);
		if (slot == DNS_RECORDS_MAX)
			continue;
		kept[slot] = r;
		prefs[slot] = pref;
		if (n < DNS_RECORDS_MAX)
			n++;
	}
	return n;
}

/* RFC 2308 5: as long as the zone says that nothing may be kept. */
static uint32_t
negative_ttl(const struct message *m)
{
	size_t at = m->records;
	struct record r;
	uint32_t least;

	for (unsigned i = 0; i < (unsigned)m->answers + m->authorities; i++) {
		if (record_read(m->all, &at, &r) == -1)
			break;
		if (i < m->answers || r.type != TYPE_SOA ||
		    r.end - r.data < 22)
			continue;
		least = u32_at(m->all, r.end - 4);
		return r.ttl < least ? r.ttl : least;
	}
	return 0;
}

static const char *
rcode_why(unsigned rcode)
{
	static const char *const names[] = {
		[1] = "FORMERR from the name server",
		[2] = "no name server gives a usable answer (SERVFAIL)",
		[4] = "NOTIMP from the name server",
		[5] = "REFUSED by the name server",
	};

	if (rcode < nitems(names) && names[rcode] != NULL)
		return names[rcode];
	return "an error from the name server";
}

static void
nothing(const struct message *m, struct ipc_dns_is *is)
{
	uint32_t ttl = negative_ttl(m);

	is->status =
	    (m->flags & 15u) == RCODE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NODATA;
	if (ttl < is->ttl)
		is->ttl = ttl;
}

static void
records_take(const struct message *m, uint32_t type, const struct name *owner,
    struct buf *mem, struct ipc_dns_is *is)
{
	static struct record kept[DNS_RECORDS_MAX]; /* large */
	size_t n = records_choose(m, type, owner, kept);

	for (size_t i = 0; i < n; i++) {
		if (record_take(m->all, &kept[i], mem, &is->record[is->n]) ==
		    -1)
			continue;
		is->n++;
		if (kept[i].ttl < is->ttl)
			is->ttl = kept[i].ttl;
	}
	if (n == 0)
		nothing(m, is);
	else if (is->n == 0)
		later(is, "no usable record in the answer");
	else if ((m->flags & 15u) == RCODE_NXDOMAIN)
		later(is, "records of a name that does not exist");
	else
		is->status = DNS_OK;
}

void
dns_answer_parse(struct span message, uint32_t type, struct span name,
    struct buf *mem, struct ipc_dns_is *is)
{
	struct message m;
	struct name at;
	unsigned rcode;
	const char *why;

	buf_clear(mem);
	(void)buf_room(mem, DNS_ANSWER_MEM); /* what is in it stays put */
	memset(is, 0, sizeof(*is));
	is->canonical = name;
	is->why = SPAN_NONE;
	is->ttl = DNS_TTL_MAX;
	if (name_of(name, &at) == -1 ||
	    message_begin(message, type, &at, &m) == -1) {
		later(is, "malformed answer");
		return;
	}
	rcode = m.flags & 15u;
	if (rcode != 0 && rcode != RCODE_NXDOMAIN)
		later(is, rcode_why(rcode));
	else if ((m.flags & 0x0200) != 0) /* TC */
		later(is, "truncated answer");
	else if ((why = chain_follow(&m, type, &at, is)) != NULL)
		later(is, why);
	else if (name_text(&at, true, mem, &is->canonical) == -1)
		later(is, "an alias for a name that no host can have");
	else
		records_take(&m, type, &at, mem, is);
}
