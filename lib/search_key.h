/*
 * search_key: what a SEARCH asks (RFC 3501 6.4.4 and 9 search-key, RFC 4731,
 * RFC 5032, RFC 7162 3.1.5), as a tree in one array. Syntax only: what
 * numbers, keywords and texts mean is the caller's to find out.
 *
 *	UNSEEN OR FROM ann (LARGER 9 NOT TEXT x)
 *
 *	[0] AND --below--> UNSEEN --next--> OR
 *	                                     `-> HEADER --> AND
 *	                                                     `-> LARGER --> NOT
 *	                                                                     `->
 */
#ifndef LIB_SEARCH_KEY_H
#define LIB_SEARCH_KEY_H

#include "lib/buf.h"
#include "lib/imap_set.h"

enum search_what {
	SEARCH_AND, SEARCH_OR, SEARCH_NOT, /* of those below */
	SEARCH_ALL,
	SEARCH_SET, SEARCH_UID,       /* set */
	SEARCH_FLAG,                  /* has `flags`, has none of `without` */
	SEARCH_KEYWORD,               /* name */
	SEARCH_UNKEYWORD,
	SEARCH_LARGER, SEARCH_SMALLER, /* number: CR LF octets */
	SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE, /* day, of arrival */
	SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE,
	SEARCH_OLDER, SEARCH_YOUNGER, /* number: seconds */
	SEARCH_MODSEQ,                /* number, or more */
	SEARCH_HEADER,                /* name, text */
	SEARCH_BODY, SEARCH_TEXT,     /* text */
};

struct search_key {
	enum search_what what;
	uint32_t below;   /* index of its first part; 0: none */
	uint32_t next;    /* of the same key it is a part of */
	uint32_t flags, without; /* enum mailbox_flag */
	uint64_t number;
	int64_t day;      /* since the epoch */
	struct span name; /* borrowed from the command, or constant */
	struct span text; /* borrowed; in `charset` */
	struct imap_set set;
};

enum search_return { /* RFC 4731 3.1 */
	SEARCH_RETURN_MIN = 1, SEARCH_RETURN_MAX = 2, SEARCH_RETURN_ALL = 4,
	SEARCH_RETURN_COUNT = 8,
};

struct search {
	struct search_key *key; /* [0] is the AND of all */
	size_t n, cap;          /* at most SEARCH_KEYS_MAX */
	bool extended;          /* RETURN was there: ESEARCH answers */
	unsigned returns;       /* enum search_return; 0: not extended */
	struct span charset;    /* empty: none was named */
	bool modseq;            /* SEARCH_MODSEQ is among the keys */
};

/*
 * All that stands behind "SEARCH ". scratch: lib/imap_token.h. 0, or -1:
 * syntax, more keys than SEARCH_KEYS_MAX, deeper than IMAP_NESTING_MAX.
 * Fini in any case.
 */
int search_parse(struct span args, struct buf *scratch, struct search *);
void search_fini(struct search *);

#endif
