/*
 * structure_impl: the record, for those who write it (structure.c), read it
 * (structure_read.c) and tell it (structure_out.c).
 *
 *	record    version (1 byte), message
 *	message   envelope, part          (the part's header is the message's)
 *	envelope  10 strings, in the order of enum structure_field
 *	part      length of the rest (4 bytes, little end first), kind (1 byte),
 *	          offsets: header, body, end;
 *	          bare LFs of header, of body; LFs of body;
 *	          type, subtype, encoding: strings, lower case
 *	          id, description, md5, location: strings
 *	          parameters of the type: number, name and value each
 *	          disposition: string; if there is one, its parameters
 *	          languages: number, strings
 *	          MULTIPART: number of parts, the parts
 *	          MESSAGE: message
 *	string    0 if there is none, else length + 1, and the bytes
 *	numbers   7 bits a byte, low ones first, high bit: more follow
 *
 * Offsets are bytes of the file, each part's within its parent's body.
 */
#ifndef LIB_STRUCTURE_IMPL_H
#define LIB_STRUCTURE_IMPL_H

#include "lib/mime.h"
#include "lib/structure.h"

enum {
	STRUCTURE_VERSION = 1,
	STRUCTURE_FIELDS = FIELD_MESSAGE_ID + 1,
};

struct envelope {
	struct span field[STRUCTURE_FIELDS]; /* p NULL: none */
};

/* A list of n strings (pairs of them), in the record's bytes. */
struct structure_list {
	uint64_t n;
	struct span bytes;
};

struct structure_node {
	enum mime_kind kind;
	uint64_t header, body, end, header_bare, body_bare, lines;
	struct span type, subtype, encoding;
	struct span id, description, md5, location; /* p NULL: none */
	struct structure_list params, disposition_params, languages;
	struct span disposition;
	struct span below; /* kind's own: parts, or a message */
};

/*
 * Each takes what it names off the front of *in. false: damaged. A part's
 * relations to its parent are structure_open()'s to check.
 */
bool structure_take_string(struct span *in, struct span *s);
bool structure_take_large(struct span *in, uint64_t *n);
static inline bool
structure_take_num(struct span *in, uint64_t *n)
{
	/* Most fit into one byte. */
	if (in->n == 0 || ((unsigned char)in->p[0] & 0x80) != 0)
		return structure_take_large(in, n);
	*n = (unsigned char)span_take(in, 1).p[0];
	return true;
}
bool structure_take_envelope(struct span *in, struct envelope *e);
bool structure_take_node(struct span *in, struct structure_node *n);
/* The first: the message. */
void structure_root(
    const struct structure *s, struct envelope *e, struct structure_node *n);

#endif
