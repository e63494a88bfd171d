/*
 * route: transport map, relayhost and accounts, asked again for each
 * attempt: mail that waits follows what the administrator has changed.
 */
#include "queue/route.h"

#include <stdlib.h>

#include "lib/addr.h"
#include "lib/die.h"
#include "lib/transport.h"
#include "queue/destination.h"
#include "queue/queue.h"

static struct destination *
account_find(struct rcpt *r, struct ipc_result *is)
{
	struct account account;

	switch (resolve_account(queue.conf, &queue.maps,
	    span_str(r->address), &account)) {
	case MAP_FOUND:
		free(r->mailbox);
		if ((r->mailbox = span_dup(account.mailbox)) == NULL)
			break;
		return destination_of_owner(&account);
	case MAP_NONE:
		is->code = 550;
		is->enhanced = SPAN("5.1.1");
		is->text = SPAN("no such user");
		return NULL;
	case MAP_ERROR:
		break;
	}
	is->text = SPAN("users map is damaged");
	return NULL;
}

struct destination *
route_find(struct rcpt *r, struct ipc_result *is)
{
	struct transport t;
	const char *why = "";

	*is = (struct ipc_result){ .code = 451, .enhanced = SPAN("4.3.0") };
	if (transport_of(queue.conf, queue.maps.transport,
		span_str(r->address), &t, &why) == -1) {
		is->text = span_str(why);
		return NULL;
	}
	switch (t.kind) {
	case TRANSPORT_LOCAL:
		return account_find(r, is);
	case TRANSPORT_ERROR:
		is->code = 550;
		is->enhanced = t.enhanced;
		is->text = t.text;
		return NULL;
	case TRANSPORT_DISCARD:
		is->code = 0;
		return NULL;
	default:
		return destination_of_hop(&t);
	}
}

struct span
route_name(const struct rcpt *r)
{
	struct transport t;
	const char *why;

	if (transport_of(queue.conf, queue.maps.transport,
		span_str(r->address), &t, &why) == -1)
		return SPAN_NONE;
	return destination_name(&t);
}
