/*
 * ctl: one request a connection is the rule, more are fine. Only root and
 * the user that the house runs as are heard; the socket's mode says the
 * same.
 */
#include "master/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_ctl.h"
#include "lib/json.h"
#include "lib/log.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/listen.h"
#include "master/maps.h"
#include "master/reload.h"
#include "master/topology.h"
#include "master/who.h"
#include "lib/os.h"

enum {
	CLIENTS_MAX = 32,
	CTL_TEXT_MAX = 60 * 1024, /* of one packet */
	CTL_ANSWER_MAX = 4 * 1024 * 1024,
};

struct client {
	struct client *next;
	struct ipc *ipc; /* NULL: hung up while a reload runs */
	uint32_t id;     /* of the request that waits */
	bool waiting;
	struct who *who; /* that is being told; or NULL */
};

static struct accept door;
static struct client *clients;
static unsigned nclients;

static void
client_free(struct client *k)
{
	struct client **at = &clients;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	nclients--;
	who_free(k->who);
	if (k->ipc != NULL)
		ipc_free(k->ipc);
	free(k);
}

static void
answer_end(struct client *k, uint32_t id, unsigned status, const char *why)
{
	struct ipc_ctl_end end = { status, span_str(why) };
	struct buf b;

	buf_init(&b, IPC_PACKET_MAX);
	ipc_ctl_end_encode(&b, &end);
	log_flush(); /* who has the answer can read what became of it */
	if (k->ipc != NULL)
		ipc_send(k->ipc, IPC_CTL_END, id, buf_get(&b), -1, -1);
	buf_fini(&b);
}

static void
answer_text(struct client *k, uint32_t id, struct span text)
{
	while (text.n > 0 && k->ipc != NULL)
		if (ipc_send(k->ipc, IPC_CTL_TEXT, id,
			span_take(&text, CTL_TEXT_MAX), -1, -1) == -1)
			return;
}

/* --- status ------------------------------------------------------------ */

static const char *
state_name(void)
{
	return house.state == HOUSE_STARTING ? "starting"
	    : house.state == HOUSE_UP        ? "up"
					     : "stopping";
}

static const char *
child_state(const struct child *c)
{
	return c->stem && c->ready ? "stem" /* until it has ended */
	    : c->stopping          ? "draining"
	    : !c->ready            ? "starting"
				   : "ready";
}

static void
status_plain(struct buf *b)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);

	buf_fmt(b, "postern %s, %s, %s, pid %ld\n", POSTERN_VERSION,
	    state_name(), house.privileged ? "privileged" : "unprivileged",
	    (long)getpid());
	if (house.state != HOUSE_STARTING)
		buf_fmt(b, "up for %lld s\n",
		    (long long)loop_wall() - house.started);
	buf_fmt(b, "configuration %s, generation %u\n", house.conf_path,
	    house.now->number);
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%-8s %u%s\n", role_name(row[i].role),
		    children_count(row[i].role, NULL),
		    row[i].count == COUNT_SESSION ? " sessions" : "");
	for (struct listener *l = listeners; l != NULL; l = l->next_one)
		buf_fmt(b, "listens  %-12s %s\n", l->service, l->bound);
}

static void
json_child(struct buf *b, const struct child *c)
{
	buf_fmt(b,
	    "{\"role\":\"%s\",\"index\":%u,\"pid\":%ld,"
	    "\"generation\":%u,\"state\":\"%s\",\"uid\":%lu,\"gid\":%lu",
	    role_name(c->role), c->index, (long)c->pid, c->generation,
	    child_state(c), (unsigned long)c->uid, (unsigned long)c->gid);
	if (c->login != NULL)
		json_pair(b, "login", c->login);
	buf_str(b, "}");
}

static void
status_json(struct buf *b)
{
	buf_fmt(b,
	    "{\"version\":\"%s\",\"state\":\"%s\",\"privileged\":%s,"
	    "\"pid\":%ld,\"seconds\":%lld,\"generation\":%u,"
	    "\"processes\":[",
	    POSTERN_VERSION, state_name(), house.privileged ? "true" : "false",
	    (long)getpid(),
	    house.state == HOUSE_STARTING
		? 0
		: (long long)loop_wall() - house.started,
	    house.now->number);
	for (struct child *c = children; c != NULL; c = c->next) {
		json_child(b, c);
		if (c->next != NULL)
			buf_char(b, ',');
	}
	buf_str(b, "],\"listeners\":[");
	for (struct listener *l = listeners; l != NULL; l = l->next_one) {
		buf_fmt(b, "{\"service\":\"%s\"", l->service);
		json_pair(b, "address", l->bound);
		buf_fmt(b, "}%s", l->next_one != NULL ? "," : "");
	}
	buf_str(b, "]}\n");
}

/* What t/e2e compares with /proc. */
static void
status_processes(struct buf *b)
{
	buf_fmt(b, "pid=%ld role=master state=%s uid=%lu gid=%lu root=/\n",
	    (long)getpid(), state_name(), (unsigned long)geteuid(),
	    (unsigned long)getegid());
	for (struct child *c = children; c != NULL; c = c->next) {
		if (c->pid == 0)
			continue; /* to be born */
		buf_fmt(b,
		    "pid=%ld role=%s index=%u generation=%u state=%s "
		    "uid=%lu gid=%lu",
		    (long)c->pid, role_name(c->role), c->index, c->generation,
		    child_state(c),
		    (unsigned long)(house.privileged ? c->uid : geteuid()),
		    (unsigned long)(house.privileged ? c->gid : getegid()));
		if (house.privileged && c->chrooted)
			buf_fmt(
			    b, " root=%s/empty\n", house.now->conf->run_dir);
		else
			buf_str(b, " root=/\n");
	}
}

/* --- verbs ------------------------------------------------------------- */

static int
verb_status(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	struct span option = in->argc > 1 ? in->argv[1] : SPAN_NONE;
	struct buf b;

	buf_init(&b, CTL_ANSWER_MAX);
	if (span_eq(option, SPAN("--json")))
		status_json(&b);
	else if (span_eq(option, SPAN("--processes")))
		status_processes(&b);
	else
		status_plain(&b);
	answer_text(k, id, buf_get(&b));
	answer_end(k, id, house.state == HOUSE_UP ? EX_OK : EX_TEMPFAIL, "");
	buf_fini(&b);
	return 0;
}

static int
verb_topology(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	struct buf b;

	(void)in;
	buf_init(&b, CTL_TEXT_MAX);
	topology_print(house.now->conf, house.privileged, &b);
	answer_text(k, id, buf_get(&b));
	answer_end(k, id, EX_OK, "");
	buf_fini(&b);
	return 0;
}

static void
on_reloaded(void *arg, bool done, const char *text)
{
	struct client *k = arg;

	k->waiting = false;
	if (k->ipc == NULL) {
		client_free(k);
		return;
	}
	answer_end(k, k->id, done ? EX_OK : EX_CONFIG, done ? "" : text);
}

static int
verb_reload(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	(void)in;
	k->waiting = true;
	k->id = id;
	reload_begin(on_reloaded, k);
	return 0;
}

static int
verb_map(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	(void)in;
	maps_look();
	answer_end(k, id, EX_OK, "");
	return 0;
}

static int
verb_stop(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	(void)in;
	answer_end(k, id, EX_OK, "");
	house_stop(EX_OK);
	return 0;
}

static void
on_who_told(void *arg, uint32_t id, unsigned status, const char *why)
{
	struct client *k = arg;

	who_free(k->who);
	k->who = NULL;
	answer_end(k, id, status, why);
}

static int
verb_who(struct client *k, uint32_t id, const struct ipc_ctl *in)
{
	k->who = who_begin(k->ipc, id, in, on_who_told, k);
	return 0;
}

static const struct verb {
	const char *name;
	int (*fn)(struct client *, uint32_t id, const struct ipc_ctl *);
} verbs[] = {
	{ "status", verb_status },
	{ "topology", verb_topology },
	{ "reload", verb_reload },
	{ "map", verb_map },
	{ "stop", verb_stop },
	{ "who", verb_who },
	{ "kick", verb_who },
};

/* --- clients ----------------------------------------------------------- */

static int
on_request(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct client *k = arg;
	struct ipc_ctl in;

	(void)ipc;
	if (k->waiting || k->who != NULL) /* one at a time */
		return -1;
	if (m->type != IPC_CTL || ipc_ctl_decode(m->body, &in) == -1 ||
	    in.argc == 0)
		return -1;
	for (size_t i = 0; i < nitems(verbs); i++)
		if (span_eq(in.argv[0], span_str(verbs[i].name)))
			return verbs[i].fn(k, m->id, &in);
	answer_end(k, m->id, EX_USAGE, "master does not know this request\n");
	return 0;
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct client *k = arg;

	ipc_free(ipc);
	k->ipc = NULL;
	if (!k->waiting)
		client_free(k);
}

static void
on_client(struct accept *a, int fd, const struct sockaddr *addr)
{
	struct client *k;
	uid_t uid;
	gid_t gid;

	(void)a;
	(void)addr;
	if (nclients >= CLIENTS_MAX || os_peer_id(fd, &uid, &gid) == -1 ||
	    (uid != 0 && uid != geteuid())) {
		fd_close(&fd);
		return;
	}
	k = xcalloc(1, sizeof(*k));
	k->next = clients;
	clients = k;
	nclients++;
	k->ipc = ipc_new(fd, ROLE_MASTER, ROLE_CTL, on_request, on_gone, k);
}

void
ctl_start(void)
{
	for (struct listener *l = listeners; l != NULL; l = l->next_one)
		if (strcmp(l->service, "ctl") == 0) {
			int fd = dup(l->fd);

			if (fd == -1 ||
			    accept_open(&door, fd, on_client, NULL) == -1)
				die("cannot watch %s", l->bound);
		}
}
