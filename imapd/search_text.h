/*
 * search_text: looks for texts in one message after the other. A header
 * field that the index knows costs no file; all texts that are looked for in
 * bodies are looked for in one reading of the file, the first time that one
 * of them is asked for.
 */
#ifndef IMAPD_SEARCH_TEXT_H
#define IMAPD_SEARCH_TEXT_H

#include "lib/buf.h"
#include "lib/charset.h"
#include "lib/structure.h"

struct mailbox;
struct needle;
struct patience;
struct search_key;

struct texts {
	struct mailbox *box;
	struct patience *patience;
	struct needle *needle; /* of the keys, in the order they were added */
	size_t n, cap;

	/* The message at hand */
	uint32_t seq;
	int fd;                /* -1: not opened */
	bool missing;          /* its file cannot be read */
	bool read;             /* needles of bodies know whether they are in */
	bool opened;           /* st is valid */
	struct structure st;
	struct buf header;     /* its bytes; empty: not read */
	struct buf folded;     /* a field's value */
};

/* patience: when it ends, nothing more is read, and answers mean nothing. */
void texts_init(struct texts *, struct mailbox *, struct patience *);
void texts_fini(struct texts *);
/*
 * A key of what HEADER, BODY or TEXT; borrowed. Its number becomes that of
 * the needle. -1: not valid in that charset (NULL: UTF-8).
 */
int texts_add(struct texts *, struct search_key *, const struct charset *);
/* How dear it is to ask for that key: 2, 3 or 4. */
unsigned texts_cost(const struct search_key *);

/* From now on it is about this row of the view. */
void texts_message(struct texts *, uint32_t seq);
/* Is it in the message? Not if the message is gone. */
bool texts_match(struct texts *, const struct search_key *);
/* RFC822.SIZE. -1: the message is gone. */
int texts_size(struct texts *, uint64_t *size);
/* The day in its Date field. -1: none. */
int texts_sent_day(struct texts *, int64_t *day);

#endif
