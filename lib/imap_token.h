/*
 * imap_token: the pieces of an IMAP command (RFC 3501 9, RFC 7888). A
 * command is gathered whole before it is read: lines and the literals between
 * them become one buffer, so that the parser never waits. Only APPEND's
 * message, which may be large, is left to the caller to stream.
 *
 *	gather: line --{n} or {n+} at its end--> n bytes --> line ... --> whole
 *	parse:  spans into the gathered bytes, in order, no look-back
 *
 * In the gathered bytes each line but the last ends in CR LF, literals stand
 * as they came. Parsers take from the front of *in and leave it, and what
 * they would fill, untouched on -1. Sets: lib/imap_set.h; lib/imap_date.h.
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
int imap_tag(struct span *in, struct span *tag); /* at most IMAP_TAG_MAX */
int imap_atom(struct span *in, struct span *atom);
int imap_flag(struct span *in, struct span *flag); /* "\Seen", "$Junk" */
/* Takes this word (any case) if it is next and ends there. */
bool imap_word(struct span *in, const char *word);
/*
 * Spans into *in; only a quoted string with a backslash is unescaped into
 * scratch. That one never moves while one command is read: it is given room
 * for all that is left of *in (its max: the longest command), and cleared
 * by the caller between two commands. NUL is refused, 8-bit passes in
 * strings (the caller decides), not in atoms. literal8 (~{n}) is refused.
 */
int imap_string(struct span *in, struct buf *scratch, struct span *out);
int imap_astring(struct span *in, struct buf *scratch, struct span *out);
int imap_nstring(struct span *in, struct buf *scratch, struct span *out,
    bool *nil);
int imap_list_mailbox(struct span *in, struct buf *scratch, struct span *out);
int imap_number(struct span *in, uint64_t max, uint64_t *n);

#endif
