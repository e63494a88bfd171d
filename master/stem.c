/*
 * stem: see the header. A session that is not born yet is in the list of
 * children, so that it is counted, with pid 0; its channel is open, and what
 * is sent there waits for it.
 */
#include "master/stem.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/os.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/spawn.h"
#include "master/topology.h"
#include "master/worker.h"

enum { STEM_FORKS_MAX = 1000 };

/* A host may do without POP3, or without IMAP: no program, no stem. */
static bool
is_installed(enum role role)
{
	struct buf b;
	bool is;

	buf_init(&b, PATH_LEN_MAX);
	buf_fmt(&b, "%s/%s", house.now->conf->libexec_dir, role_name(role));
	is = !b.bad && access(buf_cstr(&b), X_OK) == 0;
	buf_fini(&b);
	return is;
}

void
stems_start(void)
{
	const struct topology_row *row;
	size_t n = topology_rows(&row);
	struct seat *s;

	for (size_t i = 0; i < n; i++) {
		if (row[i].count != COUNT_SESSION || !os_has_siblings() ||
		    !is_installed(row[i].role))
			continue;
		s = seat_new(row[i].role, 0, 1, house.now);
		s->stem = true;
		seat_fill(s);
	}
}

static struct seat *
seat_of(enum role role)
{
	for (struct seat *s = seats; s != NULL; s = s->next)
		if (s->stem && s->role == role)
			return s;
	return NULL;
}

void
stem_renew(struct seat *s)
{
	if (s->child == NULL)
		return; /* comes anyway */
	child_stop(s->child, false);
	s->child->seat = NULL;
	seat_fill(s);
}

/* --- birth ------------------------------------------------------------- */

/* In the list, and asked for. */
static void
session_conceive(struct child *c, struct child *stem, struct ipc_role *is,
    int channel, int fd)
{
	static uint32_t last;
	struct buf b;

	spawn_owner_role(c, is);
	c->birth.stem = stem;
	c->birth.id = ++last;
	buf_init(&b, IPC_PACKET_MAX);
	ipc_role_encode(&b, is);
	child_send(stem, IPC_FORK, c->birth.id, &b, channel, fd);
	buf_fini(&b);
}

bool
stem_session(struct child *asker, uint32_t id, enum role role,
    struct ipc_role *is, int fd)
{
	struct seat *s = seat_of(role);
	struct child *c;
	int pair[2];

	if (s == NULL || s->child == NULL || s->child->ipc == NULL ||
	    ipc_pair(pair) == -1)
		return false;
	c = child_new(role, 0, pair[0]);
	c->birth.asker = asker->pid;
	c->birth.asked = id;
	session_conceive(c, s->child, is, pair[1], fd);
	fd_close(&pair[1]);
	if (++s->child->forks >= STEM_FORKS_MAX)
		stem_renew(s);
	return true;
}

/* auth may have died meanwhile; its successor did not ask. */
static void
asker_tell(const struct child *c, const char *why)
{
	for (struct child *o = children; o != NULL; o = o->next)
		if (o->role == ROLE_AUTH && o->pid == c->birth.asker) {
			session_answer(o, c->birth.asked, why);
			return;
		}
}

static void
stillborn(struct child *c)
{
	asker_tell(c, "cannot start a process");
	child_forget(c);
}

static struct child *
unborn_of(const struct child *stem)
{
	struct child *c;

	for (c = children; c != NULL && c->birth.stem != stem; c = c->next)
		;
	return c;
}

int
stem_forked(struct child *stem, struct ipc_msg *m)
{
	struct ipc_fork_is is;
	struct child *c;

	if (ipc_fork_is_decode(m->body, &is) == -1)
		return -1;
	for (c = children; c != NULL; c = c->next)
		if (c->birth.stem == stem && c->birth.id == m->id)
			break;
	if (c == NULL)
		return -1; /* nobody asked */
	if (is.pid == 0) {
		stillborn(c);
		return 0;
	}
	c->birth.stem = NULL;
	asker_tell(c, NULL);
	child_born(c, (pid_t)is.pid);
	return 0;
}

/* --- the end ----------------------------------------------------------- */

void
stem_ended(struct child *stem)
{
	struct child *c;

	while ((c = unborn_of(stem)) != NULL)
		stillborn(c);
}

void
stem_session_ended(const struct child *c, int status)
{
	struct seat *s = seat_of(c->role);

	if (s == NULL || c->seat != NULL || c->stopping ||
	    house.state != HOUSE_UP || !WIFSIGNALED(status) ||
	    WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL)
		return;
	log_begin(LL_WARN, "restart");
	log_str("role", role_name(c->role));
	log_str("why", "a session crashed; the next ones get another layout");
	log_end();
	stem_renew(s);
}
