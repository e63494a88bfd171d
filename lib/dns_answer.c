/*
 * dns_answer: the answer section is walked from the question's name through
 * CNAMEs to the name that has the records. Sections are read again for each
 * step: there are few, and no order is promised.
 */
#include "lib/dns_answer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/dns_message.h"
#include "lib/ipc_dns.h"

enum { TYPE_SOA = 6, RCODE_NXDOMAIN = 3 };

static_assert((int)DNS_MESSAGE_MAX + (DNS_RECORDS_MAX + 2) * DNS_NAME_MAX <=
	(int)DNS_ANSWER_MEM,
    "no answer needs more");
static_assert(
    (int)DNS_ANSWER_MEM + DNS_RECORDS_MAX * 16 + 1024 <= (int)IPC_BODY_MAX,
    "every answer fits into a packet");

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
	struct dns_name wire;

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
	    q->name.p[q->name.n - 1] == '.' ||
	    dns_name_of(q->name, &wire) == -1)
		return -1;
	for (size_t i = 0; i < q->name.n; i++) {
		if (q->name.p[i] != '.' && !dns_name_char(q->name.p[i], false))
			return -1;
		buf_char(name, char_lower(q->name.p[i]));
	}
	return name->bad ? -1 : 0;
}

/* --- records ----------------------------------------------------------- */

static int
take_address(struct span s, const struct dns_raw *r, struct buf *mem,
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
take_name(struct span s, const struct dns_raw *r, struct buf *mem,
    struct dns_record *out)
{
	struct dns_name name;

	if (dns_message_name(s, r, r->data, &name) == -1)
		return -1;
	return dns_name_text(&name, false, mem, &out->data);
}

static int
take_mx(struct span s, const struct dns_raw *r, struct buf *mem,
    struct dns_record *out)
{
	struct dns_name name;

	if (r->end - r->data < 3 ||
	    dns_message_name(s, r, r->data + 2, &name) == -1)
		return -1;
	out->pref = dns_message_u16(s, r->data);
	return dns_name_text(&name, false, mem, &out->data);
}

/* Strings of one length byte each, joined (RFC 7208 3.3, RFC 6376 3.6.2.2) */
static int
take_txt(struct span s, const struct dns_raw *r, struct buf *mem,
    struct dns_record *out)
{
	size_t from = mem->n, at = r->data, n;

	while (at < r->end) {
		n = dns_message_u8(s, at++);
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
take_tlsa(struct span s, const struct dns_raw *r, struct buf *mem,
    struct dns_record *out)
{
	size_t from = mem->n, n = r->end - r->data;

	if (n < 3 || n - 3 > DNS_DATA_MAX)
		return -1;
	out->usage = (uint8_t)dns_message_u8(s, r->data);
	out->selector = (uint8_t)dns_message_u8(s, r->data + 1);
	out->matching = (uint8_t)dns_message_u8(s, r->data + 2);
	buf_bytes(mem, s.p + r->data + 3, n - 3);
	out->data = span_of(mem->p + from, n - 3);
	return 0;
}

static int
record_take(struct span s, const struct dns_raw *r, struct buf *mem,
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
cname_of(const struct dns_message *m, const struct dns_name *owner,
    struct dns_name *target, struct ipc_dns_is *is)
{
	size_t at = m->records;
	struct dns_raw r;

	for (unsigned i = 0; i < m->answers; i++) {
		if (dns_message_record(m->all, &at, &r) == -1)
			return -1;
		if (r.type != DNS_CNAME || r.class != DNS_CLASS_IN ||
		    !dns_name_eq(&r.owner, owner))
			continue;
		if (dns_message_name(m->all, &r, r.data, target) == -1)
			return -1;
		if (r.ttl < is->ttl)
			is->ttl = r.ttl;
		return 1;
	}
	return 0;
}

/* From name, where the question was, to where its records are. */
static const char *
chain_follow(const struct dns_message *m, uint32_t type, struct dns_name *name,
    struct ipc_dns_is *is)
{
	struct dns_name target;
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
slot_for(uint16_t pref, struct dns_raw *kept, uint16_t *prefs, size_t n)
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
records_choose(const struct dns_message *m, uint32_t type,
    const struct dns_name *owner, struct dns_raw kept[DNS_RECORDS_MAX])
{
	uint16_t prefs[DNS_RECORDS_MAX], pref;
	size_t at = m->records, n = 0, slot;
	struct dns_raw r;

	for (unsigned i = 0; i < m->answers; i++) {
		if (dns_message_record(m->all, &at, &r) == -1)
			break; /* cname_of() has read them all before */
		if (r.type != type || r.class != DNS_CLASS_IN ||
		    !dns_name_eq(&r.owner, owner))
			continue;
		pref = type == DNS_MX && r.end - r.data >= 2
		    ? dns_message_u16(m->all, r.data)
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
negative_ttl(const struct dns_message *m)
{
	size_t at = m->records;
	struct dns_raw r;
	uint32_t least;

	for (unsigned i = 0; i < (unsigned)m->answers + m->authorities; i++) {
		if (dns_message_record(m->all, &at, &r) == -1)
			break;
		if (i < m->answers || r.type != TYPE_SOA || r.end - r.data < 22)
			continue;
		least = dns_message_u32(m->all, r.end - 4);
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
nothing(const struct dns_message *m, struct ipc_dns_is *is)
{
	uint32_t ttl = negative_ttl(m);

	is->status =
	    (m->flags & 15u) == RCODE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NODATA;
	if (ttl < is->ttl)
		is->ttl = ttl;
}

static void
records_take(const struct dns_message *m, uint32_t type,
    const struct dns_name *owner, struct buf *mem, struct ipc_dns_is *is)
{
	static struct dns_raw kept[DNS_RECORDS_MAX]; /* large */
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
	struct dns_message m;
	struct dns_name at;
	unsigned rcode;
	const char *why;

	buf_clear(mem);
	(void)buf_room(mem, DNS_ANSWER_MEM); /* what is in it stays put */
	memset(is, 0, sizeof(*is));
	is->canonical = name;
	is->why = SPAN_NONE;
	is->ttl = DNS_TTL_MAX;
	if (dns_name_of(name, &at) == -1 ||
	    dns_message_begin(message, type, &at, &m) == -1) {
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
	else if (dns_name_text(&at, true, mem, &is->canonical) == -1)
		later(is, "an alias for a name that no host can have");
	else
		records_take(&m, type, &at, mem, is);
}
