/*
 * ipc_dns: typed questions to dns, its typed answers. dns alone parses what
 * name servers say; whoever asks gets names and addresses that are well
 * formed, already followed through CNAMEs, and a bit that says whether DNSSEC
 * vouches for them.
 */
#ifndef LIB_IPC_DNS_H
#define LIB_IPC_DNS_H

#include "lib/ipc.h"
#include "lib/limits.h"

enum dns_type { /* RR types, IANA numbers */
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

enum dns_status {
	DNS_OK,       /* at least one record */
	DNS_NODATA,   /* the name exists, no record of this type */
	DNS_NXDOMAIN, /* the name does not exist */
	DNS_TEMP,     /* SERVFAIL, timeout, bogus, overload: ask again later */
	DNS_BAD,      /* not a name that can be asked for */
};

struct ipc_dns { /* IPC_DNS */
	uint32_t type;    /* enum dns_type */
	struct span name; /* "example.org", no final dot; PTR: the address as
			   * text, "192.0.2.1", which dns turns round */
};

struct dns_record {
	uint16_t pref;    /* MX */
	uint8_t usage, selector, matching; /* TLSA */
	/*
	 * A, AAAA: 4, 16 bytes. MX, PTR, CNAME: a host name in lower case, no
	 * final dot; "" is the root (null MX, RFC 7505). TXT: the strings
	 * joined. TLSA: the association data.
	 */
	struct span data;
};

struct ipc_dns_is { /* IPC_DNS_IS */
	uint32_t status;      /* enum dns_status */
	uint32_t secure;      /* 1: validated */
	uint32_t ttl;         /* s it may be kept */
	struct span canonical; /* where CNAMEs led; the name itself if none */
	struct span why;      /* TEMP, BAD: safe text for log and DSN */
	size_t n;
	struct dns_record record[DNS_RECORDS_MAX];
};

void ipc_dns_encode(struct buf *, const struct ipc_dns *);
int ipc_dns_decode(struct span, struct ipc_dns *);
void ipc_dns_is_encode(struct buf *, const struct ipc_dns_is *);
int ipc_dns_is_decode(struct span, struct ipc_dns_is *);

#endif
