/* ages: whose column a message is in, to the second, and in what order. */
#include "lib/ipc_ctl.h"

static int alive; /* signs of life that the asker was given */
#define ipc_send(...) (alive++)
#include "queue/ages.c" /* not in the library: it is the queue's own */

#include <stdio.h>

#include "t/unit/tap.h"

static struct buf told; /* what the asker was told */

void
request_say(struct request *q, bool all)
{
	(void)all;
	buf_span(&told, buf_get(&q->out));
	buf_clear(&q->out);
}

bool
rcpt_is_open(const struct rcpt *r)
{
	return r->state != RCPT_DONE;
}

static struct request q = { .json = true };

static void
begin(bool senders)
{
	buf_clear(&told);
	buf_init(&q.out, 4096);
	q.ages = ages_new(senders);
}

static struct span
end(void)
{
	ages_show(&q);
	ages_free(q.ages);
	buf_fini(&q.out);
	return buf_get(&told);
}

static void
mail(char *sender, char *to, enum rcpt_state state, int64_t age)
{
	struct rcpt r = { .address = to, .state = state };
	struct message m = { .sender = sender, .arrived = loop_wall() - age,
		.rcpt = &r, .nrcpt = 1 };

	ages_count(&q, &(struct subject){ .m = &m });
}

static bool
tells(const char *text)
{
	bool is = span_eq(end(), span_str(text));

	if (!is)
		printf("# %.*s", SPAN_FMT(buf_get(&told)));
	return is;
}

static char ann[] = "ann@example.org", bob[] = "Bob@Example.ORG",
	    far[] = "x@far.example", nobody[] = "";

static void
test_columns(void)
{
	int64_t most = 5 * 60;

	begin(false);
	mail(nobody, ann, RCPT_READY, -1);
	for (int i = 0; i < 9; i++, most *= 2) {
		mail(nobody, ann, RCPT_READY, most - 1);
		mail(nobody, bob, RCPT_DEFERRED, most);
	}
	mail(nobody, ann, RCPT_READY, INT64_C(1) << 33);
	ok(tells("{\"domain\":\"example.org\",\"total\":20,"
		 "\"ages\":[2,2,2,2,2,2,2,2,2,2]}\n"),
	    "each column begins where the one before ends");
}

static void
test_rows(void)
{
	begin(false);
	mail(nobody, far, RCPT_READY, 0);
	mail(nobody, ann, RCPT_READY, 0);
	mail(nobody, ann, RCPT_SENT, 600);
	mail(nobody, ann, RCPT_DONE, 600);
	ok(tells("{\"domain\":\"example.org\",\"total\":2,"
		 "\"ages\":[1,0,1,0,0,0,0,0,0,0]}\n"
		 "{\"domain\":\"far.example\",\"total\":1,"
		 "\"ages\":[1,0,0,0,0,0,0,0,0,0]}\n"),
	    "the longest row first, without who has his mail");
	begin(true);
	mail(nobody, ann, RCPT_DONE, 300);
	mail(far, ann, RCPT_READY, 0);
	ok(tells("{\"domain\":\"<>\",\"total\":1,"
		 "\"ages\":[0,1,0,0,0,0,0,0,0,0]}\n"
		 "{\"domain\":\"far.example\",\"total\":1,"
		 "\"ages\":[1,0,0,0,0,0,0,0,0,0]}\n"),
	    "senders: bounces have none");
}

static void
test_many(void)
{
	char to[32];

	begin(false);
	for (int i = 0; i < AGES_DOMAINS_MAX + 3; i++) {
		(void)snprintf(to, sizeof(to), "a@d%d.example", i);
		mail(nobody, to, RCPT_READY, 0);
	}
	(void)snprintf(to, sizeof(to), "a@d0.example");
	mail(nobody, to, RCPT_READY, 0);
	(void)end();
	ok(span_starts(buf_get(&told),
	       SPAN("{\"domain\":\"d0.example\",\"total\":2,")) &&
	    span_ends(buf_get(&told), SPAN("{\"domain\":\"(others)\","
		"\"total\":3,\"ages\":[3,0,0,0,0,0,0,0,0,0]}\n")),
	    "what is too much counts together");
	ok(alive == 10, "meanwhile the asker hears that it goes on");
}

int
main(void)
{
	buf_init(&told, 8 * 1024 * 1024);
	test_columns();
	test_rows();
	test_many();
	buf_fini(&told);
	return done();
}
