/*
 * ctl: queue.sock, and what may be asked there.
 *
 *	VERB [--json] [--senders] [SELECTOR ...]
 *	SELECTOR: a queue id, an address, a domain, or sender=, recipient=,
 *	destination=; several select what any of them does; none selects all
 *	(list, ages, flush only). --senders: ages by sender
 *
 * One request at a time is served per connection (queue/request.h).
 */
#include "queue/ctl.h"

#include <stdlib.h>
#include <sysexits.h>

#include "lib/accept.h"
#include "lib/die.h"
#include "lib/ipc_ctl.h"
#include "queue/ages.h"
#include "queue/change.h"
#include "queue/request.h"
#include "queue/select.h"
#include "queue/show.h"
#include "queue/wait.h"

/* --- verbs ------------------------------------------------------------- */

static const struct verb {
	const char *name;
	subject_fn *fn;
	bool all; /* without a selector: all messages */
} verbs[] = {
	{ "list", show_line, true },
	{ "show", show_message, false },
	{ "ages", ages_count, true },
	{ "flush", change_flush, true },
	{ "hold", change_hold, false },
	{ "release", change_release, false },
	{ "remove", change_remove, false },
};

static void
run(struct request *q, const struct verb *v)
{
	if (q->nsel == 0 && !v->all) {
		request_end(q, EX_USAGE, "which message? name a queue id, or "
				    "sender=, recipient=, destination=");
		return;
	}
	if (q->nsel == 0 && v->fn == change_flush) {
		change_flush_all();
		request_end(q, EX_OK, "");
		return;
	}
	if (v->fn == ages_count)
		q->ages = ages_new(q->senders);
	request_collect(q, v->fn);
	request_step(q);
}

static void
count(struct request *q)
{
	buf_fmt(&q->out, "%zu\n", message_count() + wait_count());
	request_end(q, EX_OK, "");
}

static void
destinations(struct request *q)
{
	const char *none = message_count() + wait_count() == 0
	    ? "no destination is in use"
	    : "no destination was in use since the start; queue ages tells "
	      "what waits";

	show_destinations(q);
	request_end(q, EX_OK, q->hits == 0 && !q->json ? none : "");
}

/* About the whole queue; no selectors. */
static const struct plain {
	const char *name;
	void (*fn)(struct request *);
} plains[] = {
	{ "count", count },
	{ "destinations", destinations },
};

/* 0, or the number of the word that is none. */
static size_t
request_parse(struct request *q, const struct ipc_ctl *in)
{
	for (size_t i = 1; i < in->argc; i++) {
		if (span_eq(in->argv[i], SPAN("--json")))
			q->json = true;
		else if (span_eq(in->argv[i], SPAN("--senders")))
			q->senders = true;
		else if (select_ok(in->argv[i]))
			q->sel[q->nsel++] = in->argv[i];
		else
			return i;
	}
	return 0;
}

static void
complain(struct request *q, struct span word)
{
	struct buf why;

	buf_init(&why, 1024);
	buf_char(&why, '"');
	buf_safe(&why, span_slice(word, 0, 200));
	buf_str(&why, "\" is no queue id, address or domain, and not sender=, "
	    "recipient= or destination=");
	request_end(q, EX_USAGE, buf_cstr(&why));
	buf_fini(&why);
}

static void
serve(struct request *q, const struct ipc_ctl *in)
{
	size_t bad = request_parse(q, in);

	if (bad != 0) {
		complain(q, in->argv[bad]);
		return;
	}
	for (size_t i = 0; in->argc > 0 && i < nitems(plains); i++)
		if (span_eq(in->argv[0], span_str(plains[i].name))) {
			plains[i].fn(q);
			return;
		}
	for (size_t i = 0; in->argc > 0 && i < nitems(verbs); i++)
		if (span_eq(in->argv[0], span_str(verbs[i].name))) {
			run(q, &verbs[i]);
			return;
		}
	request_end(q, EX_USAGE, "no such request");
}

/* --- connections ------------------------------------------------------- */

struct asker {
	struct request *request; /* NULL: it has none */
};

static void
ended(struct asker *a)
{
	if (a->request == NULL || !a->request->over)
		return;
	request_free(a->request);
	a->request = NULL;
}

static void
on_step(struct timer *t)
{
	struct asker *a = t->arg;

	request_step(a->request);
	ended(a);
}

/* The words outlive the packet: they are kept, and read again from there. */
static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct asker *a = arg;
	struct request *q;
	struct ipc_ctl in;

	if (m->type != IPC_CTL || a->request != NULL)
		return -1;
	q = a->request = request_new(ipc, m->id);
	q->step.fn = on_step;
	q->step.arg = a;
	buf_span(&q->words, m->body);
	if (ipc_ctl_decode(buf_get(&q->words), &in) == -1)
		return -1;
	serve(q, &in);
	ended(a);
	return 0;
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct asker *a = arg;

	request_free(a->request);
	free(a);
	ipc_free(ipc);
}

static void
on_accept(struct accept *a, int fd, const struct sockaddr *addr)
{
	(void)a;
	(void)addr;
	(void)ipc_new(fd, ROLE_QUEUE, ROLE_CTL, on_message, on_gone,
	    xcalloc(1, sizeof(struct asker)));
}

void
ctl_listen(int fd)
{
	static struct accept listener;

	if (accept_open(&listener, fd, on_accept, NULL) == -1)
		die("cannot listen on queue.sock");
}
