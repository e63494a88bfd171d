/*
 * check_queue: `postern check` asks the queue which next hops it cannot reach.
 */
#include <stdio.h>

#include "ctl/check.h"
#include "lib/ipc_ctl.h"

enum { DOWN_SHOWN = 10 };

/* Of one flat object that the queue wrote; strings without their quotes. */
static struct span
json_get(struct span line, struct span key)
{
	for (; line.n > 0; span_take(&line, 1)) {
		if (!span_starts(line, key))
			continue;
		span_take(&line, key.n);
		if (!span_starts(line, SPAN("\"")))
			return span_slice(line, 0, span_find(line, ','));
		span_take(&line, 1);
		return span_slice(line, 0, span_find(line, '"'));
	}
	return SPAN_NONE;
}

static void
down(struct check *k, struct span line)
{
	struct span name = json_get(line, SPAN("\"destination\":"));
	struct span waiting = json_get(line, SPAN("\"waiting\":"));
	struct span why = json_get(line, SPAN("\"why\":"));

	check_odd(k, "next hop %.*s is down, %.*s waiting: %.*s; when that is "
	    "mended: postern flush", SPAN_FMT(name), SPAN_FMT(waiting),
	    SPAN_FMT(why));
}

void
check_queue(struct check *k)
{
	static char verb[] = "destinations", json[] = "--json";
	char *args[] = { verb, json, NULL };
	struct span rest, line;
	struct buf out;
	unsigned n = 0;

	if (!k->running)
		return;
	buf_init(&out, 1024 * 1024);
	if (talk(k->ctl, ROLE_QUEUE, 2, args, &out, true) != EX_OK) {
		check_odd(k, "the queue does not answer; look at its log");
		goto out;
	}
	rest = buf_get(&out);
	while (rest.n > 0) {
		line = span_line(&rest);
		if (span_eq(json_get(line, SPAN("\"state\":")), SPAN("down")) &&
		    n++ < DOWN_SHOWN)
			down(k, line);
	}
	if (n > DOWN_SHOWN)
		check_odd(k, "and %u next hops more: postern queue "
		    "destinations", n - DOWN_SHOWN);
	else if (n == 0)
		check_ok(k, "no next hop is down");
out:
	buf_fini(&out);
}
