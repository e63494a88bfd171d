/*
 * maildir_fuzz: names that other programs made, paths from maps. What comes
 * out lies inside the name, and no path leads out of its root.
 */
#include "lib/maildir.h"

#include <assert.h>

#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_name(struct span name)
{
	struct maildir_name m;

	maildir_name_parse(name, &m);
	assert(span_starts(name, m.base));
	assert(span_starts(m.base, m.unique));
	assert(!span_has(m.base, ':') && !span_has(m.unique, ','));
	assert(m.flags.n == 0 || span_ends(name, m.flags));
	assert(m.has_size || m.size == 0);
	assert(m.has_wsize || m.wsize == 0);
	(void)maildir_name_time(name);
}

static void
check_path(struct span mailbox)
{
	struct span rest, part;
	struct buf b;

	buf_init(&b, PATH_LEN_MAX);
	if (maildir_below(SPAN("/var/vmail"), mailbox, &b) == 0) {
		rest = buf_get(&b);
		assert(span_ends(mailbox, rest) ||
		    span_ends(mailbox, SPAN("/")));
		assert(rest.n > 0 && !span_has(rest, '\0'));
		while (rest.n > 0) {
			part = span_cut(&rest, '/');
			assert(part.n > 0 && !span_eq(part, SPAN(".")) &&
			    !span_eq(part, SPAN("..")));
		}
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	check_name(in);
	check_path(in);
	return 0;
}
