/*
 * address_list: the addresses of a header field, RFC 5322 3.4 with all of
 * the obsolete syntax (4.4) and whatever else is found in letters: linear,
 * never fails, gives what can be understood. lib/addr.h is the strict one,
 * for SMTP.
 *
 *	"Ann B." <@r:ann@x.org>, staff: bob@x.org (Bob), "o c"@x.org;
 */
#ifndef LIB_ADDRESS_LIST_H
#define LIB_ADDRESS_LIST_H

#include "lib/buf.h"

/*
 * As an ENVELOPE has them (RFC 3501 7.4.2). Texts are the list's own, until
 * the next call. An address without a domain (or without anything in its
 * brackets) has empty ones.
 */
struct address {
	enum address_kind {
		ADDRESS_MAILBOX,
		ADDRESS_GROUP, /* begins; mailbox is its name */
		ADDRESS_GROUP_END,
	} kind;
	struct span name;    /* phrase or comment, unquoted; RFC 2047 raw */
	struct span route;   /* "@a,@b" */
	struct span mailbox; /* unquoted */
	struct span domain;
};

struct address_list {
	struct span in;
	struct buf phrase, comment, route, mailbox, domain, rest;
	bool group; /* inside one */
};

/* value: unfolded or with its folds; borrowed until fini. */
void address_list_init(struct address_list *, struct span value);
bool address_list_next(struct address_list *, struct address *);
void address_list_fini(struct address_list *);

#endif
