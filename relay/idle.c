/*
 * idle: sessions without work, newest first. The newest is taken, since it is
 * the least likely to have been given up by its server; the oldest goes when
 * room is wanted.
 */
#include <string.h>

#include "lib/conn.h"
#include "relay/session.h"

TAILQ_HEAD(session_list, session);

static struct {
	struct session_list list;
	size_t n;
} idle = { .list = TAILQ_HEAD_INITIALIZER(idle.list) };

void
session_idle_put(struct session *s)
{
	if (idle.n >= RELAY_IDLE_MAX)
		session_idle_drop();
	TAILQ_INSERT_HEAD(&idle.list, s, link);
	s->idle = true;
	idle.n++;
	session_enter(s, S_IDLE);
}

void
session_idle_forget(struct session *s)
{
	if (!s->idle)
		return;
	TAILQ_REMOVE(&idle.list, s, link);
	s->idle = false;
	idle.n--;
}

struct session *
session_idle_take(const char *key)
{
	struct session *s;

	TAILQ_FOREACH(s, &idle.list, link) {
		if (strcmp(s->key, key) != 0)
			continue;
		session_idle_forget(s);
		return s;
	}
	return NULL;
}

void
session_idle_drop(void)
{
	struct session *s = TAILQ_LAST(&idle.list, session_list);

	if (s != NULL)
		session_quit(s);
}

void
session_idle_drop_at(const struct target *t)
{
	struct session *s;

	TAILQ_FOREACH(s, &idle.list, link)
		if (s->counted && target_same_address(&s->target.ss, &t->ss)) {
			session_quit(s);
			return;
		}
}

void
session_idle_drop_all(void)
{
	while (!TAILQ_EMPTY(&idle.list))
		session_idle_drop();
}
