/*
 * resolve: looks addresses up, follows aliases.
 *
 * Invariants: a walk is bounded three ways, in depth (ALIAS_DEPTH_MAX), in
 * what it finds (ALIAS_WIDTH_MAX) and in steps (STEPS_MAX), so that no alias
 * file makes it long; and whatever is not certain is an error for a while,
 * never "unknown".
 */
#include "lib/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"

enum { STEPS_MAX = 4 * ALIAS_WIDTH_MAX };

void
maps_replace(struct maps *m, const char *name, int fd)
{
	if (strcmp(name, "users") == 0)
		map_replace(&m->users, fd, name);
	else if (strcmp(name, "aliases") == 0)
		map_replace(&m->aliases, fd, name);
	else if (strcmp(name, "transport") == 0)
		map_replace(&m->transport, fd, name);
	else
		fd_close(&fd);
}

/* --- one step ---------------------------------------------------------- */

struct look {
	const struct conf *conf;
	const struct maps *maps;
	struct buf key, name;
	struct resolved *is;
};

bool
resolve_is_local_domain(const struct conf *c, struct span domain)
{
	return conf_list_has(&c->domains, domain) ||
	    conf_list_has(&c->system_domains, domain);
}

/* True: decided. */
static bool
try_alias(struct look *l, struct span name)
{
	account_key(name, &l->key);
	if (l->key.bad) /* longer than any key */
		return false;
	switch (map_get(l->maps->aliases, buf_get(&l->key),
	    &l->is->targets)) {
	case MAP_FOUND:
		l->is->kind = RESOLVE_ALIAS;
		return true;
	case MAP_ERROR:
		l->is->kind = RESOLVE_ERROR;
		return true;
	case MAP_NONE:
		break;
	}
	return false;
}

static bool
try_account(struct look *l, struct span name)
{
	struct span value;

	account_key(name, &l->key);
	if (l->key.bad)
		return false;
	switch (map_get(l->maps->users, buf_get(&l->key), &value)) {
	case MAP_FOUND:
		l->is->kind = account_decode(value, &l->is->account) == 0 ?
		    RESOLVE_MAILBOX : RESOLVE_ERROR;
		return true;
	case MAP_ERROR:
		l->is->kind = RESOLVE_ERROR;
		return true;
	case MAP_NONE:
		break;
	}
	return false;
}

/* The address without its subaddress; empty: it has none. In l->name. */
static struct span
base_of(struct look *l, const struct addr *a)
{
	const char *marks = l->conf->subaddress;
	size_t i;

	buf_clear(&l->name);
	if (a->quoted || marks == NULL || marks[0] == '\0')
		return SPAN_NONE;
	/* "+ann" is a name of its own: something must be left. */
	for (i = 1; i < a->local.n; i++)
		if (strchr(marks, a->local.p[i]) != NULL)
			break;
	if (i >= a->local.n)
		return SPAN_NONE;
	buf_span(&l->name, span_slice(a->local, 0, i));
	buf_char(&l->name, '@');
	buf_span(&l->name, a->domain);
	return l->name.bad ? SPAN_NONE : buf_get(&l->name);
}

static struct span
local_of(struct span address)
{
	return span_slice(address, 0, span_rfind(address, '@'));
}

static bool
try_name(struct look *l, struct span address)
{
	return try_alias(l, address) || try_alias(l, local_of(address)) ||
	    try_account(l, address);
}

static bool
try_catch_all(struct look *l, const struct addr *a)
{
	buf_clear(&l->name);
	buf_char(&l->name, '@');
	buf_span(&l->name, a->domain);
	return !l->name.bad && try_alias(l, buf_get(&l->name));
}

/* RFC 5321 4.5.1: mail for postmaster is taken in every local domain. */
static bool
try_postmaster(struct look *l, const struct addr *a)
{
	if (!span_ieq(a->local, SPAN("postmaster")) ||
	    l->conf->postmaster == NULL || l->conf->postmaster[0] == '\0')
		return false;
	l->is->kind = RESOLVE_ALIAS;
	l->is->targets = span_str(l->conf->postmaster);
	return true;
}

static void
look_step(struct look *l, struct span address, bool aliases)
{
	struct span base;
	struct addr a;

	addr_split(address, &a);
	if (!resolve_is_local_domain(l->conf, a.domain)) {
		l->is->kind = RESOLVE_REMOTE;
		return;
	}
	if (aliases ? try_name(l, address) : try_account(l, address))
		return;
	base = base_of(l, &a);
	if (base.n != 0 &&
	    (aliases ? try_name(l, base) : try_account(l, base)))
		return;
	if (aliases && (try_catch_all(l, &a) || try_postmaster(l, &a)))
		return;
	/* Without a users map nobody can say that there is no such user. */
	l->is->kind = l->maps->users != NULL ? RESOLVE_UNKNOWN : RESOLVE_ERROR;
}

static void
look(const struct conf *c, const struct maps *m, struct span address,
    bool aliases, struct resolved *is)
{
	struct look l = { .conf = c, .maps = m, .is = is };

	*is = (struct resolved){ .kind = RESOLVE_UNKNOWN };
	buf_init(&l.key, MAP_KEY_MAX);
	buf_init(&l.name, MAP_KEY_MAX);
	look_step(&l, address, aliases);
	buf_fini(&l.key);
	buf_fini(&l.name);
}

void
resolve_one(const struct conf *c, const struct maps *m, struct span address,
    struct resolved *is)
{
	look(c, m, address, true, is);
}

enum map_got
resolve_account(const struct conf *c, const struct maps *m,
    struct span address, struct account *account)
{
	struct resolved is;

	look(c, m, address, false, &is);
	if (is.kind == RESOLVE_ERROR)
		return MAP_ERROR;
	if (is.kind != RESOLVE_MAILBOX)
		return MAP_NONE;
	*account = is.account;
	return MAP_FOUND;
}

/* --- the list ---------------------------------------------------------- */

/* Addresses stand in mem one behind the other: mem may have moved. */
static void
list_rebase(struct resolved_list *l)
{
	const char *p = l->mem.p;

	for (size_t i = 0; i < l->n; i++) {
		l->rcpt[i].address.p = p;
		p += l->rcpt[i].address.n;
	}
}

static bool
list_has(const struct resolved_list *l, const struct resolved_rcpt *new)
{
	const struct resolved_rcpt *r;

	for (size_t i = 0; i < l->n; i++) {
		r = &l->rcpt[i];
		if (r->local != new->local)
			continue;
		/* However it is spelt: one mailbox, one copy. */
		if (r->local ? r->account.uid == new->account.uid &&
		    span_eq(r->account.mailbox, new->account.mailbox) :
		    span_eq(r->address, new->address))
			return true;
	}
	return false;
}

/* -1: the list is as long as it may be. */
static int
list_add(struct resolved_list *l, struct resolved_rcpt new)
{
	size_t cap = l->mem.cap;

	if (list_has(l, &new))
		return 0;
	if (l->mem.max == 0)
		buf_init(&l->mem, (size_t)RESOLVE_RCPT_MAX * SMTP_PATH_MAX);
	if (l->n >= RESOLVE_RCPT_MAX)
		return -1;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 4 : 2 * l->cap;
		l->rcpt = xreallocarray(l->rcpt, l->cap, sizeof(*l->rcpt));
	}
	buf_span(&l->mem, new.address);
	if (l->mem.bad)
		return -1;
	new.address.p = l->mem.p + l->mem.n - new.address.n;
	l->rcpt[l->n++] = new;
	if (l->mem.cap != cap)
		list_rebase(l);
	return 0;
}

static void
list_cut(struct resolved_list *l, size_t n, size_t bytes)
{
	l->n = n;
	l->mem.n = bytes;
	l->mem.bad = false;
}

void
resolved_list_fini(struct resolved_list *l)
{
	free(l->rcpt);
	buf_fini(&l->mem);
	*l = (struct resolved_list){ 0 };
}

/* --- all the way ------------------------------------------------------- */

struct walk {
	const struct conf *conf;
	const struct maps *maps;
	struct resolved_list *list;
	size_t first; /* of this walk in the list */
	unsigned steps;
	const char *why;
};

struct frame { /* an alias that is being followed */
	const struct frame *up;
	struct span address;
	unsigned depth;
};

static enum resolve_kind walk_address(struct walk *, struct span address,
    const struct frame *up);

static enum resolve_kind
walk_fail(struct walk *w, const char *why)
{
	w->why = why;
	return RESOLVE_ERROR;
}

/* The next of a comma-separated list; commas in quotes are text. */
static struct span
target_next(struct span *in)
{
	bool quoted = false;
	struct span one;
	size_t i;

	for (i = 0; i < in->n && (quoted || in->p[i] != ','); i++) {
		if (in->p[i] == '"')
			quoted = !quoted;
		else if (quoted && in->p[i] == '\\')
			i++;
	}
	one = span_take(in, i);
	(void)span_take(in, 1);
	return span_trim(one);
}

static enum resolve_kind
walk_target(struct walk *w, struct span target, const struct frame *up)
{
	enum resolve_kind kind;
	struct buf whole;

	if (span_has(target, '@'))
		return walk_address(w, target, up);
	buf_init(&whole, SMTP_PATH_MAX);
	buf_span(&whole, target);
	buf_char(&whole, '@');
	buf_str(&whole, w->conf->default_domain);
	kind = whole.bad ? walk_fail(w, "alias target too long") :
	    walk_address(w, buf_get(&whole), up);
	buf_fini(&whole);
	return kind;
}

/* What has one good target is good; an error spoils all, for it may pass. */
static enum resolve_kind
walk_targets(struct walk *w, struct span targets, const struct frame *here)
{
	enum resolve_kind all = RESOLVE_UNKNOWN, one;
	bool unknown = false;
	struct span t;

	while (targets.n != 0) {
		t = target_next(&targets);
		if (t.n == 0)
			continue;
		one = walk_target(w, t, here);
		if (one == RESOLVE_ERROR)
			return one;
		if (one == RESOLVE_MAILBOX)
			all = one;
		else
			unknown = true;
	}
	if (unknown)
		w->why = "an alias names an unknown address";
	return all;
}

static bool
is_above(const struct frame *f, struct span address)
{
	for (; f != NULL; f = f->up)
		if (span_ieq(f->address, address))
			return true;
	return false;
}

static enum resolve_kind
walk_end(struct walk *w, struct span address, const struct resolved *is)
{
	struct resolved_rcpt r = { .address = address,
		.local = is->kind == RESOLVE_MAILBOX,
		.account = is->account };

	if (list_add(w->list, r) == -1 ||
	    w->list->n - w->first > ALIAS_WIDTH_MAX)
		return walk_fail(w, "too many recipients");
	return RESOLVE_MAILBOX;
}

static enum resolve_kind
walk_address(struct walk *w, struct span address, const struct frame *up)
{
	struct frame here = { up, address, up == NULL ? 0 : up->depth + 1 };
	bool self = up != NULL && span_ieq(up->address, address);
	struct resolved is;

	if (here.depth > ALIAS_DEPTH_MAX)
		return walk_fail(w, "aliases are nested too deep");
	if (++w->steps > STEPS_MAX)
		return walk_fail(w, "aliases name too many aliases");
	if (!self && is_above(up, address))
		return walk_fail(w, "alias loop");
	look(w->conf, w->maps, address, !self, &is);
	switch (is.kind) {
	case RESOLVE_MAILBOX:
	case RESOLVE_REMOTE:
		return walk_end(w, address, &is);
	case RESOLVE_ALIAS:
		return walk_targets(w, is.targets, &here);
	case RESOLVE_UNKNOWN:
		return RESOLVE_UNKNOWN;
	case RESOLVE_ERROR:
		break;
	}
	return walk_fail(w, "a map is missing or damaged");
}

enum resolve_kind
resolve_all(const struct conf *c, const struct maps *m, struct span address,
    struct resolved_list *list, const char **why)
{
	struct walk w = { .conf = c, .maps = m, .list = list,
		.first = list->n };
	size_t bytes = list->mem.n;
	enum resolve_kind kind = walk_address(&w, address, NULL);

	if (kind != RESOLVE_MAILBOX)
		list_cut(list, w.first, bytes);
	if (why != NULL)
		*why = w.why;
	return kind;
}
