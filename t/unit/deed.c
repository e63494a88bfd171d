/* deed: which messages a line of the log names, and how many fit into it. */
#include "lib/mailbox.h"

#include <stdio.h>

#include "t/unit/tap.h"

enum { MANY = 100000 };

static struct mailbox_msg msgs[MANY + 1];
static unsigned names; /* so often one was asked for */

static const struct mailbox_msg *
test_msg(uint32_t seq)
{
	return &msgs[seq];
}

static struct span
test_name(uint32_t seq)
{
	(void)seq;
	names++;
	return SPAN("1700000000.Q0123456789A_0.host:2,");
}

#define mailbox_msg(box, seq) ((void)(box), test_msg(seq))
#define mailbox_name(box, seq) ((void)(box), test_name(seq))
#include "imapd/deed.c" /* not in the library: it is imapd's own */

static uint32_t all[MANY];

/* Of n messages, each uid so much larger than the one before. */
static void
begin(struct deed *d, size_t n, uint32_t step)
{
	static struct session s; /* large */

	names = 0;
	for (uint32_t i = 0; i < n; i++) {
		all[i] = i + 1;
		msgs[i + 1].uid = 1 + i * step;
	}
	deed_begin(d, &s, all, n);
}

static bool
has(const struct deed *d, size_t n, const char *uids)
{
	bool is = d->n == n && span_eq(buf_get(&d->uids), span_str(uids));

	if (!is)
		printf("# %zu %.*s\n", d->n, SPAN_FMT(buf_get(&d->uids)));
	return is;
}

int
main(void)
{
	struct span s;
	struct deed d;

	begin(&d, 0, 1);
	ok(has(&d, 0, "") && names == 0, "none");
	deed_end(&d);
	begin(&d, 1, 1);
	ok(has(&d, 1, "1"), "one");
	deed_end(&d);
	begin(&d, 2, 1);
	ok(has(&d, 2, "1:2"), "two in a row");
	deed_end(&d);
	begin(&d, 3, 2);
	ok(has(&d, 3, "1,3,5") && names == 3, "three that are not");
	deed_end(&d);
	msgs[1].gone = msgs[3].gone = true;
	begin(&d, 5, 1);
	ok(has(&d, 3, "2,4:5") && names == 3,
	    "what was gone before is not told");
	deed_end(&d);
	msgs[1].gone = msgs[3].gone = false;
	begin(&d, MANY, 1);
	ok(has(&d, MANY, "1:100000"), "many in a row");
	ok(names == NAMES_MAX, "not each is asked for its name");
	deed_end(&d);
	begin(&d, MANY, 40000);
	s = buf_get(&d.uids);
	ok(d.n == MANY && !d.uids.bad && s.n <= LOG_VALUE_MAX &&
	        s.n > LOG_VALUE_MAX - 2 * RANGE_MAX &&
	        span_ends(s, SPAN(",...")) && span_starts(s, SPAN("1,40001,")),
	    "many that are not: as many as there is room for");
	s = buf_get(&d.qids);
	ok(!d.qids.bad && s.n <= LOG_VALUE_MAX, "so it is with their ids");
	deed_end(&d);
	return done();
}
