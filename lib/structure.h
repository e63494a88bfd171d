/*
 * structure: what is known of a message after it was parsed once: envelope,
 * MIME tree, sizes, where the parts are. A packed record, which the mailbox
 * index keeps (lib/mailbox.h); everything that IMAP answers about a message's
 * form is made from it without opening the message.
 *
 * Offsets count bytes of the stored file (LF lines, or CR LF where another
 * program stored them so); sizes that are told to clients count CR LF.
 */
#ifndef LIB_STRUCTURE_H
#define LIB_STRUCTURE_H

#include "lib/buf.h"

struct imap_out;

/*
 * Parses a whole message (RFC 5322, RFC 2045 to 2047, 2183, 2231, 3282) and
 * appends its record to out (max: STRUCTURE_MAX at least). Never fails for
 * what the message is: broken MIME is text/plain or what its header says,
 * nesting and parts beyond MIME_DEPTH_MAX, MIME_PARTS_MAX are opaque; a
 * record that would be over STRUCTURE_MAX leaves out long header values.
 * Deterministic.
 */
void structure_make(struct span message, struct buf *out);

/* A record as read from disk: trusted only after this. 0, or -1: damaged. */
struct structure {
	struct span rec;
	uint64_t size;
};
int structure_open(struct span rec, struct structure *);

uint64_t structure_size(const struct structure *); /* CR LF octets */

/* RFC 3501 7.4.2. Whole items, without their names. */
void structure_envelope(const struct structure *, struct imap_out *);
void structure_body(
    const struct structure *, bool extensible, struct imap_out *);

/*
 * A section's part: "" the message, "1", "2.3" ... by numbers (n of them).
 * As RFC 3501 6.4.5: part 1 of a message that is no multipart is its body;
 * numbers go through message/rfc822. -1: no such part.
 *
 *	BODY[path]         header .. end (header == body unless is_message)
 *	BODY[path.HEADER]  header .. body   only if is_message
 *	BODY[path.TEXT]    body .. end      only if is_message
 *	BODY[path.MIME]    mime .. mime_end
 *
 * The header of a message ends with its blank line; where the body begins
 * without one there is none. There may be lines in it that are no fields
 * ("From " of mbox): skip what header_next() refuses.
 * header_size == body - header (and so on): the file has CR LF there
 * already, it can be sent as it is.
 */
struct structure_part {
	uint64_t header, body, end; /* offsets: header, body, past the body */
	uint64_t mime, mime_end;    /* this part's own MIME header */
	uint64_t header_size, body_size, mime_size; /* CR LF octets */
	bool is_message;                            /* "" or message/rfc822 */
	bool is_multipart;
	struct span type, subtype, encoding; /* lower case; never empty */
	struct span charset;                 /* as written; empty: none */
};
int structure_find(const struct structure *, const uint32_t *path, size_t n,
    struct structure_part *);
/*
 * All parts in order, depth first, the message itself left out: leaves with
 * their bodies; message/rfc822 with is_message, before what is in it. For
 * SEARCH; fn returns false to stop.
 */
void structure_each(const struct structure *,
    bool (*fn)(const struct structure_part *, void *), void *arg);

/*
 * Of the message's header, for SEARCH and SORT without the file; raw (RFC 2047
 * not decoded), unfolded. Several fields of addresses are joined by ", ", of
 * the others it is the first. false: no such field.
 */
enum structure_field {
	FIELD_DATE,
	FIELD_SUBJECT,
	FIELD_FROM,
	FIELD_SENDER,
	FIELD_REPLY_TO,
	FIELD_TO,
	FIELD_CC,
	FIELD_BCC,
	FIELD_IN_REPLY_TO,
	FIELD_MESSAGE_ID
};
bool structure_field(
    const struct structure *, enum structure_field, struct span *);

#endif
