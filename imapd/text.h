/*
 * text: the file of one message, read through a window. The last one stays
 * open, and where its reading stood is kept, so that a client which fetches a
 * large message piece by piece costs no search and no second open.
 */
#ifndef IMAPD_TEXT_H
#define IMAPD_TEXT_H

#include "lib/span.h"

struct session;

/* A stretch of the file, as RFC 3501 counts it: each bare LF is two. */
struct text_range {
	uint64_t from, to;
};

/* The message's file becomes the one at hand. -1: errno; ENOENT: gone. */
int text_open(struct session *, uint32_t seq);
/* Its last byte. -1 and errno. */
int text_end(struct session *, uint64_t *end);
/*
 * The bytes from..to in one piece, valid until the next call. -1: errno;
 * EFBIG: over TEXT_PIECE_MAX.
 */
int text_piece(struct session *, struct text_range, struct span *);
/* Of a range, the octets skip .. skip + take; less where it ends. */
struct text_cut {
	uint64_t skip, take;
};
/*
 * The label and a literal, with CR LF line ends. Nothing is written on -1
 * (errno).
 */
int text_out(struct session *, struct span label, struct text_range,
    struct text_cut);
/* The same of bytes in memory. */
void text_out_span(struct session *, struct span label, struct span,
    struct text_cut);

/* After a command: the window's memory goes, the file stays. */
void text_rest(struct session *);
void text_forget(struct session *, uint32_t uid); /* that one was removed */
void text_close(struct session *);

#endif
