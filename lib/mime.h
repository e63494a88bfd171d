/*
 * mime: a message cut into its parts, in one pass over its bytes (RFC 2045,
 * 2046 5.1). Any bytes are a message; boundaries that never come, headers
 * that do not end, parts in parts without end all give a tree within
 * MIME_DEPTH_MAX and MIME_PARTS_MAX.
 */
#ifndef LIB_MIME_H
#define LIB_MIME_H

#include "lib/span.h"

/* A place in the message, and what was counted up to it. */
struct mime_mark {
	uint64_t at;    /* bytes */
	uint64_t bare;  /* LF without CR before them: each is one octet more */
	uint64_t lines; /* LF */
};

enum mime_field {
	MIME_TYPE,
	MIME_ENCODING,
	MIME_ID,
	MIME_DESCRIPTION,
	MIME_DISPOSITION,
	MIME_LANGUAGE,
	MIME_LOCATION,
	MIME_MD5,
	MIME_FIELDS
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* has children, one at least */
	MIME_MESSAGE,   /* message/rfc822; its one child is the letter in it,
			 * whose header is that letter's */
};

struct mime_part {
	enum mime_kind kind;
	struct mime_mark mime, body, end; /* header from, body from, to */
	struct span type, subtype;        /* as written, or by default */
	struct span params;               /* of the type, to be parsed */
	struct span field[MIME_FIELDS];   /* raw values; p NULL: none */
	size_t next;                      /* index after all below it */
};

struct mime {
	struct mime_part *part; /* depth first; part[0] is the message */
	size_t n, cap;
};

/* Spans are into message. mime_fini() afterwards. */
void mime_parse(struct span message, struct mime *);
void mime_fini(struct mime *);

static inline uint64_t
mime_octets(const struct mime_mark *from, const struct mime_mark *to)
{
	return to->at - from->at + to->bare - from->bare;
}

#endif
