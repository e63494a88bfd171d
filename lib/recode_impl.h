/*
 * recode_impl: what the files of lib/recode*.c share. recode_plan.c decides
 * what becomes of parts, recode_header.c of headers, recode.c does it.
 */
#ifndef LIB_RECODE_IMPL_H
#define LIB_RECODE_IMPL_H

#include "lib/mime.h"
#include "lib/recode.h"

/* [at, to) becomes the text (nothing, if that is NULL), or is encoded. */
struct recode_edit {
	uint64_t at, to;
	const char *text;
	bool encode, undone;
	enum encode_kind kind;
};

struct recode_plan {
	struct recode *out;
	struct span in;
	struct mime mime;
	bool eight_bit; /* is to go */
};

/* recode_plan.c */
void recode_plan(struct recode_plan *);
/* In the order of their places; the edit is there until the next. */
struct recode_edit *recode_edit_add(
    struct recode_plan *, uint64_t at, uint64_t to, const char *text);
struct span recode_range(const struct recode_plan *, uint64_t at, uint64_t to);
/* It stays as it is: what a server would not take of it is noted. */
void recode_leave(struct recode_plan *, struct span);

/* Where in the message. */
static inline uint64_t
recode_place(const struct recode_plan *p, const char *at)
{
	return (uint64_t)(at - p->in.p);
}

/* What becomes of a part's header, apart from folds. */
struct recode_fields {
	const char *encoding; /* in place of such fields; NULL: they stay */
	const char *type;     /* is added; or NULL */
	bool version;         /* likewise, if it is not there */
	bool blank;           /* line; likewise: the body will be another */
	size_t edit;          /* encoding's, + 1; 0: none yet */
	bool stray;           /* line before: it needs a field behind it */
};

/* recode_header.c */
void recode_header(struct recode_plan *, const struct mime_part *,
    struct recode_fields *);
/* Is the body of the message signed in the header, too (DKIM, ARC)? */
bool recode_header_signs(const struct recode_plan *);
/* Is it ended by a blank line? */
bool recode_header_ends(const struct recode_plan *, const struct mime_part *);

#endif
