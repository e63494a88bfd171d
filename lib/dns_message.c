/* dns_message: see dns_message.h. */
#include "lib/dns_message.h"

unsigned
dns_message_u8(struct span s, size_t at)
{
	return (unsigned char)s.p[at];
}

uint16_t
dns_message_u16(struct span s, size_t at)
{
	return (
	    uint16_t)(dns_message_u8(s, at) << 8 | dns_message_u8(s, at + 1));
}

uint32_t
dns_message_u32(struct span s, size_t at)
{
	return (uint32_t)dns_message_u16(s, at) << 16 |
	    dns_message_u16(s, at + 2);
}

int
dns_message_begin(struct span s, uint32_t type, const struct dns_name *asked,
    struct dns_message *m)
{
	struct dns_name name;
	size_t at = 12;

	if (s.n < 12 || (dns_message_u16(s, 2) & 0x8000) == 0 ||
	    dns_message_u16(s, 4) != 1)
		return -1;
	m->all = s;
	m->flags = dns_message_u16(s, 2);
	m->answers = dns_message_u16(s, 6);
	m->authorities = dns_message_u16(s, 8);
	if (dns_name_read(s, &at, &name) == -1 || at + 4 > s.n ||
	    !dns_name_eq(&name, asked) || dns_message_u16(s, at) != type ||
	    dns_message_u16(s, at + 2) != DNS_CLASS_IN)
		return -1;
	m->records = at + 4;
	return 0;
}

int
dns_message_record(struct span s, size_t *at, struct dns_raw *r)
{
	size_t i;

	if (dns_name_read(s, at, &r->owner) == -1 || *at + 10 > s.n)
		return -1;
	i = *at;
	r->type = dns_message_u16(s, i);
	r->class = dns_message_u16(s, i + 2);
	r->ttl = dns_message_u32(s, i + 4);
	if (r->ttl > INT32_MAX) /* RFC 2181 8 */
		r->ttl = 0;
	r->data = i + 10;
	r->end = r->data + dns_message_u16(s, i + 8);
	if (r->end > s.n)
		return -1;
	*at = r->end;
	return 0;
}

int
dns_message_name(
    struct span s, const struct dns_raw *r, size_t at, struct dns_name *out)
{
	struct span upto = span_slice(s, 0, r->end);

	return dns_name_read(upto, &at, out) == 0 && at == r->end ? 0 : -1;
}
