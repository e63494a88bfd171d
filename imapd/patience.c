/* patience: see the header. */
#include "imapd/patience.h"

#include <poll.h>
#include <time.h>

#include "imapd/session.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/os.h"

enum { LOOK_UP = 20 * 1000 * 1000 }; /* ns */

static const struct imap_reply
    A_STOPPED = { OUT_NO, "UNAVAILABLE", "not finished" },
    A_TOO_LONG = { OUT_NO, "LIMIT", "it takes too long; ask for less" };

static uint64_t
cpu_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == -1)
		die("clock_gettime");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
patience_init(struct patience *p, struct session *s)
{
	*p = (struct patience){ .s = s };
}

/* False: nobody waits for the answer any more. */
static bool
is_wanted(struct session *s)
{
	struct pollfd p = { .fd = s->net.fd };

	if (net_wait(&s->net, -1, 0) == NET_STOP)
		return false;
	return poll(&p, 1, 0) != 1 || (p.revents & (POLLHUP | POLLERR)) == 0;
}

static void
look_up(struct patience *p)
{
	uint64_t max = p->s->conf->imap_search_time * 1000, used;

	if (!is_wanted(p->s)) {
		p->end = &A_STOPPED;
		return;
	}
	if (p->began == 0)
		p->began = cpu_ms();
	used = cpu_ms() - p->began;
	if (used >= IMAP_STEP_BACK_MS && !p->stepped_back) {
		os_step_back();
		p->stepped_back = true;
	}
	if (max > 0 && used >= max) {
		log_msg(LL_WARN, "limit", "a search was ended after %llu s",
		    (unsigned long long)p->s->conf->imap_search_time);
		p->end = &A_TOO_LONG;
	}
}

bool
patience_has(struct patience *p, uint64_t work)
{
	p->work += work;
	if (p->work >= LOOK_UP && p->end == NULL) {
		p->work = 0;
		look_up(p);
	}
	return p->end == NULL;
}
