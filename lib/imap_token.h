/*
 * imap_token: the pieces of an IMAP command (RFC 3501 9, RFC 7888). A
 * command is gathered whole before it is read: lines and the literals between
 * them become one buffer, so that the parser never waits. Only APPEND's
 * message, which may be large, is left to the caller to stream.
 *
 *	gather: line --{n} or {n+} at its end--> n bytes --> line ... --> whole
 *	parse:  spans into the gathered bytes, in order, no look-back
 *
 * Parsers take from the front of *in and leave it untouched on -1.
 */
#ifndef LIB_IMAP_TOKEN_H
#define LIB_IMAP_TOKEN_H

#include "lib/buf.h"

/* The end of a line (without CR LF) that announces a literal. */
struct imap_literal {
	uint64_t size;
	bool sync;   /* {n}: the client waits for "+ "; {n+} does not */
	bool binary; /* ~{n}, RFC 3516 */
	size_t at;   /* offset of '{' (or '~') in the line */
};
enum imap_ends { IMAP_LINE_ENDS, IMAP_LITERAL_FOLLOWS, IMAP_LITERAL_BAD };
/* IMAP_LITERAL_BAD: over 2^63 - 1; the stream cannot be followed any more. */
enum imap_ends imap_line_end(struct span line, struct imap_literal *);

/* One blank, exactly (RFC 3501 9 SP). */
int imap_sp(struct span *in);
bool imap_is(struct span *in, char c); /* takes c if it is next */
int imap_tag(struct span *in, struct span *tag);
int imap_atom(struct span *in, struct span *atom);
/*
 * Quoted strings are unescaped into scratch, the others are spans into *in.
 * A literal's "{n}\r\n" stands in the gathered bytes as it came. NUL is
 * refused, 8-bit passes (the caller decides).
 */
int imap_string(struct span *in, struct buf *scratch, struct span *out);
int imap_astring(struct span *in, struct buf *scratch, struct span *out);
int imap_nstring(struct span *in, struct buf *scratch, struct span *out,
    bool *nil);
int imap_list_mailbox(struct span *in, struct buf *scratch, struct span *out);
int imap_number(struct span *in, uint64_t max, uint64_t *n);
/* "seq-set" (RFC 3501 9), "*" as UINT32_MAX; syntax only. */
struct imap_range {
	uint32_t lo, hi; /* lo <= hi */
};
struct imap_set {
	size_t n, cap;
	struct imap_range *range; /* as given; at most IMAP_RANGES_MAX */
	bool saved;               /* "$", RFC 5182 */
};
int imap_set(struct span *in, struct imap_set *);
void imap_set_fini(struct imap_set *);
/*
 * In place: "*" becomes max (the largest number there is), ranges sorted and
 * joined, what is over max dropped (for UIDs; max 0 makes it empty).
 */
void imap_set_resolve(struct imap_set *, uint32_t max);
/* RFC 3501 9 date-time (with quotes) and date (with or without). s since
 * the epoch; zone in minutes east. */
int imap_date_time(struct span *in, int64_t *when, int *zone);
int imap_date(struct span *in, int64_t *day); /* days since the epoch */

#endif
