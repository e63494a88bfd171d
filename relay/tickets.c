/*
 * tickets: TLS sessions to be taken up again. One that is taken up is not
 * verified again, so it must never stand for one of which more, or another
 * name, is asked: all that the names come from is part of the key.
 */
#include <string.h>

#include "lib/hash.h"
#include "lib/tls.h"
#include "relay/session.h"

static struct {
	uint64_t hash;
	struct tls_session *session;
} tickets[RELAY_TICKETS_MAX];

static uint64_t
hash_of(const struct session *s)
{
	struct buf b;
	uint64_t h;

	buf_init(&b, 4096);
	buf_fmt(&b, "%u %d %d %d %s ", s->maps, (int)s->level,
	    (int)s->target.secure, (int)s->transport, s->target.text);
	buf_str(&b, s->key);
	h = hash_keyed(buf_get(&b));
	buf_fini(&b);
	return h;
}

const struct tls_session *
ticket_find(const struct session *s)
{
	uint64_t h = hash_of(s);

	return tickets[h % RELAY_TICKETS_MAX].hash == h ?
	    tickets[h % RELAY_TICKETS_MAX].session :
	    NULL;
}

void
ticket_keep(const struct session *s, struct tls *tls)
{
	struct tls_session *session = tls_session_take(tls);
	uint64_t h = hash_of(s);

	if (session == NULL)
		return;
	tls_session_free(tickets[h % RELAY_TICKETS_MAX].session);
	tickets[h % RELAY_TICKETS_MAX].hash = h;
	tickets[h % RELAY_TICKETS_MAX].session = session;
}
