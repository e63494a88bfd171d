/* search: not built yet. */
#include "imapd/search.h"

#include "imapd/session.h"

const struct imap_reply *
search_run(struct session *s, struct span args, bool uid)
{
	static const struct imap_reply later = { OUT_NO, "CANNOT",
		"SEARCH is not here yet" };

	(void)s;
	(void)args;
	(void)uid;
	return &later;
}
