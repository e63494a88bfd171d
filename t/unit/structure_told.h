/*
 * structure_told: is what lib/structure_out.c says of a record grammatical?
 */
#ifndef T_UNIT_STRUCTURE_TOLD_H
#define T_UNIT_STRUCTURE_TOLD_H

#include <assert.h>

#include "lib/imap_out.h"
#include "lib/structure.h"
#include "t/unit/imap_grammar.h"

static inline int
told_sink(void *arg, struct span s)
{
	buf_span(arg, s);
	return 0;
}

/* told: what was said, "* envelope body bodystructure". */
static inline bool
structure_is_told(const struct structure *s, struct buf *told)
{
	struct imap_out o;
	struct span in;
	bool good;

	buf_clear(told);
	out_init(&o, told_sink, told);
	out_untagged(&o);
	structure_envelope(s, &o);
	structure_body(s, false, &o);
	structure_body(s, true, &o);
	out_end(&o);
	good = out_flush(&o) == 0 && !told->bad;
	out_fini(&o);
	in = buf_get(told);
	return good && g_is(&in, "* ") && g_envelope(&in) && g_is(&in, " ") &&
	    g_body(&in, 0) && g_is(&in, " ") && g_body(&in, 0) &&
	    span_eq(in, SPAN("\r\n"));
}

/* For fuzz targets. */
static inline void
structure_must_be_told(const struct structure *s)
{
	struct buf told;
	bool good;

	buf_init(&told, SIZE_MAX / 4);
	good = structure_is_told(s, &told);
	assert(good);
	buf_fini(&told);
}

#endif
