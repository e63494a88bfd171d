/*
 * sender: which envelope senders a user who logged in may use.
 *
 * An address is the user's if mail for it reaches his mailbox: his own, with
 * any subaddress, aliases of it, a list that he is on, a catch-all. So there
 * is no second table to keep in step with aliases, and an answer or a bounce
 * finds him.
 */
#include "smtpd/sender.h"

#include <string.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

static bool
is_same(const struct account *a, const struct account *b)
{
	return a->uid == b->uid && span_eq(a->mailbox, b->mailbox);
}

static bool
list_has(const struct resolved_list *l, const struct account *me)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rcpt[i].local && is_same(&l->rcpt[i].account, me))
			return true;
	return false;
}

/* By its aliases. */
static const struct reply *
check_aliases(struct span address, const struct account *me)
{
	struct resolved_list list = { 0 };
	const struct reply *r = &R_SENDER_FOREIGN;

	switch (resolve_all(server.conf, &server.maps, address, &list, NULL)) {
	case RESOLVE_ERROR:
		r = &R_ALIAS_ERROR;
		break;
	case RESOLVE_UNKNOWN:
		break;
	default:
		if (list_has(&list, me))
			r = NULL;
	}
	resolved_list_fini(&list);
	return r;
}

static const struct reply *
check_owner(struct span login, struct span address)
{
	struct account me, owner;

	switch (resolve_account(server.conf, &server.maps, login, &me)) {
	case MAP_ERROR:
		return &R_MAP_ERROR;
	case MAP_NONE: /* removed since he logged in */
		return &R_SENDER_FOREIGN;
	case MAP_FOUND:
		break;
	}
	/* His own address is his even if an alias sends its mail elsewhere. */
	if (resolve_account(server.conf, &server.maps, address, &owner) ==
		MAP_FOUND && is_same(&owner, &me))
		return NULL;
	return check_aliases(address, &me);
}

const struct reply *
sender_check(const struct session *s, struct span address)
{
	const char *rule = server.conf->submission_senders;
	struct addr a;

	if (!s->service->submission || address.n == 0 ||
	    strcmp(rule, "any") == 0)
		return NULL;
	addr_split(address, &a);
	if (strcmp(rule, "own-or-remote") == 0 &&
	    !resolve_is_local_domain(server.conf, a.domain))
		return NULL;
	return check_owner(span_str(s->login), address);
}
