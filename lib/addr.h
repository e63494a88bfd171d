/*
 * addr: RFC 5321 4.1.2 paths. One canonical parse; what it accepts is never
 * re-parsed or rewritten. Canonical form: local@domain, domain in lower
 * case, the local part's case kept, quoted only where it must be; source
 * routes stripped (RFC 5321 C). Ready for UTF-8 (utf8 true), RFC 6531.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include "lib/buf.h"

struct addr {
	struct span text;   /* the canonical whole; empty: the null path <> */
	struct span local;  /* inside text; still quoted if it was */
	struct span domain; /* inside text; "[192.0.2.1]" for a literal */
	bool quoted;
	bool literal;
};

enum addr_flags {
	ADDR_NULL_OK = 1,      /* <> is fine (MAIL FROM) */
	ADDR_POSTMASTER_OK = 2,/* <postmaster> without domain (RCPT TO) */
	ADDR_UTF8 = 4,
	ADDR_NODOMAIN_OK = 8,  /* a bare local part (sendmail, aliases) */
};

/*
 * Takes "<path>" (also without brackets if the whole word is an address:
 * clients do that; also after blanks: "MAIL FROM: <a@b>") off *in; the rest
 * of *in is parameters. Canonical text is built in out (SMTP_PATH_MAX; the
 * spans of *a point into it). -1: not an address; *in and *a then untouched,
 * out of no use.
 */
int addr_parse(struct span *in, unsigned flags, struct buf *out,
    struct addr *a);

/* Splits text that addr_parse made (from spool, maps); no checking. */
void addr_split(struct span text, struct addr *a);

/* RFC 5321 4.1.2 Domain or address-literal; RFC 1123 names, no dot at end. */
bool addr_domain_ok(struct span);
bool addr_literal_ok(struct span);
/*
 * Appends an address of IPv4 or IPv6 as it is written without brackets; it may
 * have them, and the tag "IPv6:". -1: it is none, nothing is appended.
 */
int addr_ip_put(struct span, struct buf *);
bool addr_ip_ok(struct span);

#endif
