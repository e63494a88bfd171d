/*
 * allowance: a table of SETS x WAYS rows, one a user. What he sent within the
 * last hour slides: of the hour before as much counts as still lies within
 * the last sixty minutes. A set holds the users whose hash leads there; the
 * one whose hour is the oldest gives way, so to be forgotten early takes more
 * users of one set than WAYS, all of them busy.
 *
 * It is kept in memory: a restart of the queue begins anew, a reload does not.
 */
#include "queue/allowance.h"

#include "lib/envelope.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/reply.h"
#include "queue/queue.h"

enum { SETS = 1024, WAYS = 8, HOUR = 3600 };

enum what { MESSAGES, RECIPIENTS, WHATS };

struct row {
	uint64_t key; /* 0: free */
	int64_t hour; /* since the epoch */
	uint32_t now[WHATS], before[WHATS];
	bool told[WHATS]; /* in this hour, in the log */
};

static struct row table[SETS][WAYS];

static const struct reply refusals[WHATS] = {
	[MESSAGES] = { 450, "4.7.1",
	    "you have sent as many messages as you may in an hour; "
	    "try later" },
	[RECIPIENTS] = { 450, "4.7.1",
	    "you have sent to as many recipients as you may in an hour; "
	    "try later" },
};

static void
slide(struct row *r, int64_t hour)
{
	if (r->hour == hour)
		return;
	for (size_t i = 0; i < WHATS; i++) {
		r->before[i] = r->hour + 1 == hour ? r->now[i] : 0;
		r->now[i] = 0;
		r->told[i] = false;
	}
	r->hour = hour;
}

static struct row *
row_of(struct span user)
{
	uint64_t key = hash_keyed(user) | 1;
	struct row *set = table[(key >> 1) % SETS], *r = &set[0];
	int64_t hour = loop_wall() / HOUR;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			slide(&set[i], hour);
			return &set[i];
		}
		if (set[i].key == 0 || set[i].hour < r->hour)
			r = &set[i];
	}
	*r = (struct row){ .key = key, .hour = hour };
	return r;
}

static uint64_t
used(const struct row *r, enum what what)
{
	uint64_t left = HOUR - (uint64_t)loop_wall() % HOUR;

	/* Rounded up: the turn of the hour gives nobody one more. */
	return r->now[what] + (r->before[what] * left + HOUR - 1) / HOUR;
}

/* Root may do all; uid=0 is how smtpd names it. */
static bool
is_counted(struct span user)
{
	return user.n != 0 && !span_eq(user, SPAN("uid=0")) &&
	    !conf_list_has(&queue.conf->unlimited_users, user);
}

/* Once an hour and user: what goes on is in each refusal's line. */
static void
tell(struct row *r, const struct envelope *e, enum what what, uint64_t limit)
{
	if (r->told[what])
		return;
	r->told[what] = true;
	log_begin(LL_WARN, "limit");
	log_str("what", what == MESSAGES ? "user-messages" :
	    "user-recipients");
	log_span("user", e->login);
	log_num("used", used(r, what));
	log_num("max", limit);
	log_span("sid", e->sid);
	log_span("client", e->client);
	log_end();
}

const struct reply *
allowance_check(const struct envelope *e)
{
	const uint64_t max[WHATS] = { queue.conf->user_messages,
		queue.conf->user_recipients };
	const uint64_t more[WHATS] = { 1, e->nrcpt };
	struct row *r;

	if (!is_counted(e->login))
		return NULL;
	r = row_of(e->login);
	for (enum what i = 0; i < WHATS; i++)
		if (max[i] != 0 && used(r, i) + more[i] > max[i]) {
			tell(r, e, i, max[i]);
			return &refusals[i];
		}
	return NULL;
}

void
allowance_use(const struct envelope *e)
{
	struct row *r;

	if (!is_counted(e->login))
		return;
	r = row_of(e->login);
	r->now[MESSAGES]++;
	r->now[RECIPIENTS] += (uint32_t)e->nrcpt;
}
