/* fetch: what FETCH asks for (RFC 3501 6.4.5), as a list of items. */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/text.h"
#include "lib/buf.h"

struct imap_reply;
struct session;
struct structure;

enum fetch_what {
	FETCH_FLAGS, FETCH_UID, FETCH_INTERNALDATE, FETCH_SIZE,
	FETCH_ENVELOPE, FETCH_BODY, FETCH_BODYSTRUCTURE, FETCH_SECTION,
};

enum fetch_section { /* of a message or a part */
	SECTION_ALL, SECTION_HEADER, SECTION_FIELDS, SECTION_FIELDS_NOT,
	SECTION_TEXT, SECTION_MIME,
};

struct fetch_item {
	enum fetch_what what;
	enum fetch_section section;
	bool peek;               /* does not set \Seen */
	bool partial;
	uint32_t skip, take;     /* octets, if partial */
	size_t path, npath;      /* part numbers, in list.path */
	size_t field, nfield;    /* header fields, in list.field */
	size_t label, label_n;   /* "BODY[1.MIME]<0>", in list.labels */
};

struct fetch_list {
	struct fetch_item *item;
	size_t n, cap;
	uint32_t *path;
	size_t npath, path_cap;
	struct span *field;      /* into the command */
	size_t nfield, field_cap;
	struct buf labels;
	bool uid, flags;         /* are among the items */
	bool sees;               /* one of them sets \Seen */
};

void fetch_list_init(struct fetch_list *);
void fetch_list_fini(struct fetch_list *);
/* Takes all items off *in (strings into s->scratch). NULL, or the answer. */
const struct imap_reply *fetch_list_take(struct session *, struct span *in,
    struct fetch_list *);

/*
 * One section of the message whose file is at hand (text_open) and whose
 * record this is (not looked at for BODY[]): its label and its literal, or
 * NIL if there is no such part. -1 and errno: nothing was written.
 */
int section_out(struct session *, const struct fetch_list *,
    const struct fetch_item *, const struct structure *);

#endif
