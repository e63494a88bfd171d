/*
 * connect: see the header.
 *
 * - the connection is made with the rights of user-relay and no others: a
 *   name that somebody turned into a symbolic link leads nowhere that relay
 *   might not go by itself, and who is at the other end sees relay's uid
 * - nothing is waited for: a server that is too busy to accept at once is a
 *   refusal, and relay tries again later
 * - so many a second, whoever asks: a relay that was broken into does not
 *   keep master busy
 */
#include "master/connect.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/log.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"

enum {
	RATE = 50,   /* connections a second, */
	BURST = 200, /* and so many saved up */
	GROUPS_MAX = 64,
};

/* --- the rate ---------------------------------------------------------- */

static bool
rate_ok(void)
{
	static uint64_t last, left = (uint64_t)BURST * 1000;
	uint64_t now = loop_now();

	left += (now - last) * RATE; /* thousandths */
	last = now;
	if (left > (uint64_t)BURST * 1000)
		left = (uint64_t)BURST * 1000;
	if (left < 1000)
		return false;
	left -= 1000;
	return true;
}

/* --- other rights ------------------------------------------------------ */

struct rights {
	gid_t groups[GROUPS_MAX];
	int ngroups;
};

static void
rights_restore(const struct rights *r)
{
	if (seteuid(0) == -1 || setegid(0) == -1 ||
	    setgroups((size_t)r->ngroups, r->groups) == -1)
		die("cannot take root's rights again");
}

/* Those of user-relay, with its groups. -1: as before. */
static int
rights_of_relay(struct rights *r)
{
	const struct identity *id = &house.now->id[ROLE_RELAY];

	r->ngroups = getgroups(GROUPS_MAX, r->groups);
	if (r->ngroups == -1)
		return -1;
	if ((initgroups(house.now->conf->user_relay, id->gid) == -1 &&
		setgroups(1, &id->gid) == -1) ||
	    setegid(id->gid) == -1 || seteuid(id->uid) == -1) {
		rights_restore(r);
		return -1;
	}
	return 0;
}

/* --- one connection ---------------------------------------------------- */

/* NULL: *fd. */
static const char *
socket_connect(const struct sockaddr_un *sun, int *fd)
{
	const char *why = NULL;

	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd == -1)
		return strerror(errno);
	if (connect(*fd, (const struct sockaddr *)sun, sizeof(*sun)) == -1) {
		why = errno == EAGAIN ? "it is too busy" : strerror(errno);
		fd_close(fd);
	}
	return why;
}

static const char *
connect_refusal(struct span path, struct sockaddr_un *sun)
{
	if (house.state == HOUSE_STOPPING)
		return "stopping";
	if (!conf_list_has_exact(&house.now->conf->lmtp_sockets, path))
		return "not in lmtp-sockets";
	if (span_copy(sun->sun_path, sizeof(sun->sun_path), path) == -1)
		return "the path is too long";
	return rate_ok() ? NULL : "too many connections at once";
}

static const char *
connect_to(struct span path, int *fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *why = connect_refusal(path, &sun);
	struct rights mine;

	if (why != NULL)
		return why;
	if (!house.privileged)
		return socket_connect(&sun, fd);
	if (rights_of_relay(&mine) == -1)
		return "cannot take the rights of user-relay";
	why = socket_connect(&sun, fd);
	rights_restore(&mine);
	return why;
}

int
connect_asked(struct child *c, struct ipc_msg *m)
{
	struct ipc_connect in;
	struct ipc_connect_is is;
	const char *why;
	struct buf b;
	int fd = -1;

	if (ipc_connect_decode(m->body, &in) == -1)
		return -1;
	if ((why = connect_to(in.path, &fd)) != NULL) {
		log_begin(LL_WARN, "refused");
		log_str("role", role_name(c->role));
		log_span("path", in.path);
		log_str("why", why);
		log_end();
	}
	is.why = why == NULL ? SPAN_NONE : span_str(why);
	buf_init(&b, 1024);
	ipc_connect_is_encode(&b, &is);
	child_send(c, IPC_CONNECT_IS, m->id, &b, fd, -1);
	buf_fini(&b);
	fd_close(&fd);
	return 0;
}
