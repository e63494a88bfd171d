/*
 * imap_out: everything an IMAP server says, through one encoder, so that it
 * is always grammatical: blanks between items, quoting or literals where the
 * bytes need them, parentheses that close, CR LF at the end. Misuse by our
 * own code (an unclosed list, a bare word that is no atom) is asserted.
 *
 *	out_untagged(o);                  * 3 FETCH (UID 7 FLAGS (\Seen))
 *	out_num(o, 3); out_atom(o, "FETCH");
 *	out_open(o);
 *	out_atom(o, "UID"); out_num(o, 7);
 *	out_atom(o, "FLAGS"); out_open(o); out_atom(o, "\\Seen"); out_close(o);
 *	out_close(o);
 *	out_end(o);
 */
#ifndef LIB_IMAP_OUT_H
#define LIB_IMAP_OUT_H

#include "lib/span.h"

/* Takes finished bytes; -1: gone, all else is swallowed from then on. */
typedef int imap_sink_fn(void *arg, struct span);

struct buf;
struct imap_out {
	imap_sink_fn *sink;
	void *arg;
	struct buf *b;  /* gathered, handed to sink when large */
	unsigned depth; /* open parentheses */
	bool line;      /* inside a response */
	bool code;      /* inside its [code] */
	bool tight;     /* no blank before the next item */
	bool gone;
	bool utf8;        /* RFC 6855: quoted strings may be UTF-8 */
	uint64_t literal; /* bytes of a literal still owed */
};

void out_init(struct imap_out *, imap_sink_fn *, void *arg);
void out_fini(struct imap_out *);
/* Hands over what is gathered and gives the memory back. -1: gone. */
int out_flush(struct imap_out *);

void out_untagged(struct imap_out *);               /* "*" */
void out_continue(struct imap_out *, const char *); /* "+ text", whole */
enum out_status { OUT_OK, OUT_NO, OUT_BAD, OUT_BYE, OUT_PREAUTH };
/*
 * A whole status response: "tag OK [code] text" (tag empty: "*"). code may
 * be NULL; made safe: neither CR LF nor ']' of strangers gets into it.
 */
void out_status(struct imap_out *, struct span tag, enum out_status,
    const char *code, const char *text);
/* The same in pieces, for codes with data: [APPENDUID 1 2]. */
void out_status_begin(struct imap_out *, struct span tag, enum out_status);
void out_code_open(struct imap_out *, const char *atom); /* "[NAME" */
void out_code_close(struct imap_out *);                  /* "]" */
void out_status_end(struct imap_out *, const char *text);

/* Also "\\Seen", "\\*", "BODY[]", "BODY[HEADER.FIELDS" and, tight, "]<0>". */
void out_atom(struct imap_out *, const char *);
void out_atom_span(struct imap_out *, struct span);
void out_num(struct imap_out *, uint64_t);
void out_nil(struct imap_out *);
/*
 * Strings of any bytes: "quoted" or literal. RFC 3501 9 lets no NUL out in
 * either (CHAR8): it is told as 0x80, here and in out_literal_bytes().
 */
void out_string(struct imap_out *, struct span);
void out_nstring(struct imap_out *, struct span, bool nil);
void out_astring(struct imap_out *, struct span);
void out_date_time(struct imap_out *, int64_t when); /* years 1 to 9999 */
/* 1:3,5 for numbers that ascend; at least one. */
void out_set(struct imap_out *, const uint32_t *sorted, size_t n);
void out_open(struct imap_out *);
void out_close(struct imap_out *);
/* No blank before what comes next: BODY[1]<0> and the like. */
void out_tight(struct imap_out *);
/* "{n}" and then exactly n bytes by out_literal_bytes(). */
void out_literal(struct imap_out *, uint64_t n);
void out_literal_bytes(struct imap_out *, struct span);
/*
 * Bytes that were made by this encoder before (a cached ENVELOPE): appended
 * as one item.
 */
void out_made(struct imap_out *, struct span);
void out_end(struct imap_out *); /* CR LF */

#endif
