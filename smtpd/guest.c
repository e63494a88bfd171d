/*
 * guest: how many clients, how often. Trusted networks, and root's programs,
 * are only bound by what the process can take, and by the seats that are
 * kept free for each kind of guest; programs of other accounts also by the
 * number of connections at once. A limit of 0 is none.
 */
#include "smtpd/guest.h"

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/tally.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

enum { KEPT_SHARE = 8 }; /* of all seats: one in so many, for each kind */

static bool
is_over(uint32_t n, uint64_t limit)
{
	return limit != 0 && n > limit;
}

/* Without the seats that are kept for the other kinds of guests. */
static bool
has_seat(enum guest kind)
{
	size_t all = server.conf->smtp_connections, kept = all / KEPT_SHARE;
	size_t taken = server.sessions;
	enum guest other;

	if (server.guests[kind] < kept)
		return taken < all;
	for (other = 0; other < GUESTS; other++)
		if (other != kind && server.guests[other] < kept)
			taken += kept - server.guests[other];
	return taken < all;
}

const struct reply *
guest_comes(struct span who, enum guest kind, bool *counted)
{
	const struct conf *c = server.conf;
	uint32_t now, rate;

	*counted = false;
	if (!has_seat(kind))
		return &R_FULL;
	if (who.n == 0)
		return NULL;
	if (kind != GUEST_TRUSTED) {
		rate = tally_add(TALLY_CONNECTS, who, 1, loop_wall());
		if (is_over(rate, c->smtp_client_rate))
			return &R_CLIENT_RATE;
	}
	now = tally_add(TALLY_CONNECTED, who, 1, loop_wall());
	*counted = true;
	if (is_over(now, c->smtp_client_connections)) {
		guest_leaves(who);
		*counted = false;
		return &R_CLIENT_FULL;
	}
	return NULL;
}

void
guest_leaves(struct span who)
{
	(void)tally_add(TALLY_CONNECTED, who, -1, loop_wall());
}

uint64_t
guest_patience(const struct session *s)
{
	uint64_t ms = server.conf->smtp_timeout * 1000;

	if (s->kind == GUEST_STRANGER && ms > SMTP_CROWD_MS &&
	    server.sessions > server.conf->smtp_connections / 2)
		return SMTP_CROWD_MS;
	return ms;
}

const struct reply *
guest_sends(struct session *s)
{
	const struct conf *c = server.conf;
	uint32_t rate;

	if (s->messages >= c->smtp_transactions)
		return &R_TRANSACTIONS;
	s->messages++;
	if (s->trusted)
		return NULL;
	rate = tally_add(TALLY_MESSAGES, tally_network(&s->addr.sa), 1,
	    loop_wall());
	return is_over(rate, c->smtp_client_messages) ? &R_TOO_FAST : NULL;
}
