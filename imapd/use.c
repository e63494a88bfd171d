/* use: the table of special uses. */
#include "imapd/use.h"

#include <assert.h>

#include "lib/folders.h"
#include "lib/imap_out.h"

static const struct {
	const char *name;
	unsigned bit;
} uses[] = {
	{ "\\All", FA_ALL },
	{ "\\Archive", FA_ARCHIVE },
	{ "\\Drafts", FA_DRAFTS },
	{ "\\Flagged", FA_FLAGGED },
	{ "\\Junk", FA_JUNK },
	{ "\\Sent", FA_SENT },
	{ "\\Trash", FA_TRASH },
};

static_assert(USE_ALL == (FA_ALL | FA_ARCHIVE | FA_DRAFTS | FA_FLAGGED |
                             FA_JUNK | FA_SENT | FA_TRASH),
    "all special uses");

unsigned
use_bit(struct span flag)
{
	for (size_t i = 0; i < nitems(uses); i++)
		if (span_ieq(flag, span_str(uses[i].name)))
			return uses[i].bit;
	return 0;
}

void
use_out(struct imap_out *o, unsigned attrs)
{
	for (size_t i = 0; i < nitems(uses); i++)
		if (attrs & uses[i].bit)
			out_atom(o, uses[i].name);
}
