/* ipc_dns: questions to dns and its answers. */
#include "lib/ipc_dns.h"

enum { DNS_WHY_MAX = 200 };

void
ipc_dns_encode(struct buf *b, const struct ipc_dns *m)
{
	put_u32(b, m->type);
	put_span(b, m->name);
}

int
ipc_dns_decode(struct span in, struct ipc_dns *m)
{
	if (get_u32(&in, &m->type) == -1 || m->type > UINT16_MAX ||
	    get_text(&in, &m->name, DNS_NAME_MAX) == -1 || in.n != 0)
		return -1;
	return 0;
}

void
ipc_dns_is_encode(struct buf *b, const struct ipc_dns_is *m)
{
	const struct dns_record *r;

	put_u32(b, m->status);
	put_u32(b, m->secure);
	put_u32(b, m->ttl);
	put_span(b, m->canonical);
	put_cut(b, m->why, DNS_WHY_MAX);
	put_u32(b, (uint32_t)m->n);
	for (r = m->record; r < m->record + m->n; r++) {
		put_u16(b, r->pref);
		put_u8(b, r->usage);
		put_u8(b, r->selector);
		put_u8(b, r->matching);
		put_span(b, r->data);
	}
}

static int
get_record(struct span *in, struct dns_record *r)
{
	return get_u16(in, &r->pref) == -1 || get_u8(in, &r->usage) == -1 ||
	        get_u8(in, &r->selector) == -1 ||
	        get_u8(in, &r->matching) == -1 ||
	        get_span(in, &r->data, DNS_DATA_MAX) == -1
	    ? -1
	    : 0;
}

int
ipc_dns_is_decode(struct span in, struct ipc_dns_is *m)
{
	uint32_t n;

	m->n = 0;
	if (get_u32(&in, &m->status) == -1 || m->status > DNS_BAD ||
	    get_u32(&in, &m->secure) == -1 || m->secure > 1 ||
	    get_u32(&in, &m->ttl) == -1 ||
	    get_text(&in, &m->canonical, DNS_NAME_MAX) == -1 ||
	    get_text(&in, &m->why, DNS_WHY_MAX) == -1 ||
	    get_u32(&in, &n) == -1 || n > DNS_RECORDS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (get_record(&in, &m->record[i]) == -1)
			return -1;
	if (in.n != 0 || (m->status == DNS_OK) != (n > 0))
		return -1;
	m->n = n;
	return 0;
}
