/*
 * topology: the table of the house. A row here, a row in lib/sandbox.c, and
 * the rows in lib/ipc.c are all that makes a process.
 */
#include "master/topology.h"

#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/span.h"

/* clang-format off */
static const struct topology_row rows[] = {
	/* In order of start: who is asked comes before who asks. */
	{ ROLE_QUEUE, COUNT_ONE, "user-queue", true, false, GIVES_SPOOL,
	    { "queue" }, { "users", "aliases", "transport" } },
	{ ROLE_DNS, COUNT_ONE, "user-dns", true, false, 0,
	    { 0 }, { "resolv.conf", "trust-anchor" } },
	{ ROLE_RELAY, COUNT_CONF, "user-relay", true, true, GIVES_TALLY,
	    { 0 }, { "tls-policy", "relay-passwords" } },
	{ ROLE_AUTH, COUNT_ONE, "user-auth", true, false, 0,
	    { 0 }, { "credentials" } },
	{ ROLE_SMTPD, COUNT_CONF, "user-smtp", true, true,
	    GIVES_CERT | GIVES_TALLY | GIVES_TICKETS,
	    { "smtp", "submission", "submissions", "local" },
	    { "users", "aliases", "transport" } },
	{ ROLE_LOGIN, COUNT_CONF, "user-login", true, true,
	    GIVES_CERT | GIVES_TALLY | GIVES_TICKETS,
	    { "pop3", "pop3s", "imap", "imaps" }, { 0 } },
	{ ROLE_DELIVER, COUNT_WORKER, "owner", false, false, GIVES_CHANNEL,
	    { 0 }, { 0 } },
	{ ROLE_POP3D, COUNT_SESSION, "owner", false, false, GIVES_CHANNEL,
	    { 0 }, { 0 } },
	{ ROLE_IMAPD, COUNT_SESSION, "owner", false, false, GIVES_CHANNEL,
	    { 0 }, { 0 } },
};

static const struct {
	enum role a, b;
} peers[] = {
	{ ROLE_SMTPD, ROLE_QUEUE },
	{ ROLE_SMTPD, ROLE_AUTH },
	{ ROLE_LOGIN, ROLE_AUTH },
	{ ROLE_QUEUE, ROLE_RELAY },
	{ ROLE_RELAY, ROLE_DNS },
};
/* clang-format on */

size_t
topology_rows(const struct topology_row **out)
{
	*out = rows;
	return nitems(rows);
}

const struct topology_row *
topology_row(enum role role)
{
	for (size_t i = 0; i < nitems(rows); i++)
		if (rows[i].role == role)
			return &rows[i];
	return NULL;
}

bool
topology_are_peers(enum role a, enum role b)
{
	for (size_t i = 0; i < nitems(peers); i++)
		if ((peers[i].a == a && peers[i].b == b) ||
		    (peers[i].a == b && peers[i].b == a))
			return true;
	return false;
}

static bool
names_have(const char *const *names, const char *name)
{
	for (size_t i = 0; i < TOPOLOGY_NAMES && names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool
topology_has_service(const struct topology_row *row, const char *service)
{
	return names_have(row->services, service);
}

bool
topology_has_map(const struct topology_row *row, const char *map)
{
	return names_have(row->maps, map);
}

const char *
topology_user(const struct topology_row *row, const struct conf *c)
{
	switch (row->role) {
	case ROLE_SMTPD:
		return c->user_smtp;
	case ROLE_LOGIN:
		return c->user_login;
	case ROLE_AUTH:
		return c->user_auth;
	case ROLE_DNS:
		return c->user_dns;
	case ROLE_QUEUE:
		return c->user_queue;
	case ROLE_RELAY:
		return c->user_relay;
	default:
		return NULL;
	}
}

static unsigned
one_a_processor(uint64_t configured)
{
	long n;

	if (configured != 0)
		return (unsigned)configured;
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 32 ? 32 : (unsigned)n;
}

static uint64_t
configured_number(enum role role, const struct conf *c)
{
	switch (role) {
	case ROLE_SMTPD:
		return c->smtp_processes;
	case ROLE_RELAY:
		return c->relay_processes;
	default:
		return c->login_processes;
	}
}

unsigned
topology_number(const struct topology_row *row, const struct conf *c)
{
	switch (row->count) {
	case COUNT_ONE:
		return 1;
	case COUNT_CONF:
		return one_a_processor(configured_number(row->role, c));
	default:
		return 0;
	}
}

static void
print_names(struct buf *b, const char *key, const char *const *names)
{
	buf_fmt(b, " %s=", key);
	if (names[0] == NULL)
		buf_str(b, "none");
	for (size_t i = 0; i < TOPOLOGY_NAMES && names[i] != NULL; i++)
		buf_fmt(b, "%s%s", i > 0 ? "," : "", names[i]);
}

static void
print_peers(struct buf *b, enum role role)
{
	const char *sep = " peers=";

	for (size_t i = 0; i < nitems(rows); i++) {
		if (!topology_are_peers(role, rows[i].role))
			continue;
		buf_fmt(b, "%s%s", sep, role_name(rows[i].role));
		sep = ",";
	}
	if (sep[0] == ' ')
		buf_str(b, " peers=none");
}

static void
print_row(const struct topology_row *row, const struct conf *c, bool privileged,
    struct buf *b)
{
	static const char *const counts[] = { "always", "always", "session",
		"worker" };
	const char *user = topology_user(row, c);

	buf_fmt(b, "%s count=%s", role_name(row->role), counts[row->count]);
	if (topology_number(row, c) > 0)
		buf_fmt(b, " number=%u", topology_number(row, c));
	buf_fmt(b, " user=%s",
	    !privileged        ? "self"
		: user == NULL ? "owner"
			       : user);
	buf_fmt(b, " root=%s", privileged && row->chroot ? "empty" : "/");
	buf_fmt(b, " files=%s",
	    row->role == ROLE_QUEUE         ? "spool"
		: row->chroot               ? "none"
		: row->role == ROLE_DELIVER ? "owner"
					    : "mailbox");
	print_names(b, "listens", row->services);
	print_names(b, "maps", row->maps);
	print_peers(b, row->role);
	buf_str(b, "\n");
}

void
topology_print(const struct conf *c, bool privileged, struct buf *b)
{
	buf_fmt(b,
	    "master count=always number=1 user=%s root=/ files=all "
	    "listens=ctl maps=all peers=all\n",
	    privileged ? "root" : "self");
	for (size_t i = 0; i < nitems(rows); i++)
		print_row(&rows[i], c, privileged, b);
}
