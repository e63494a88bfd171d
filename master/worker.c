/*
 * worker: an asker may be broken into; then it can ask for processes only
 * as users who own mail, in directories named plainly, within the limits.
 */
#include "master/worker.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/spawn.h"
#include "master/stem.h"

/* --- what is believed -------------------------------------------------- */

/* Absolute, plain: no empty, "." or ".." component, no NUL, not "/". */
static bool
path_is_plain(struct span path)
{
	struct span part;

	if (path.n < 2 || path.n >= PATH_LEN_MAX || path.p[0] != '/' ||
	    path.p[path.n - 1] == '/' || span_has(path, '\0'))
		return false;
	span_take(&path, 1);
	do {
		part = span_cut(&path, '/');
		if (part.n == 0 || span_eq(part, SPAN(".")) ||
		    span_eq(part, SPAN("..")))
			return false;
	} while (path.n > 0);
	return true;
}

static bool
path_is_below(struct span path, struct span root)
{
	return span_starts(path, root) && path.n > root.n &&
	    path.p[root.n] == '/';
}

/* A system account must be what the system says it is. */
static const char *
account_refusal(struct span user, uint64_t uid, uint64_t gid, struct span root)
{
	char name[256];
	struct passwd *pw;

	if (user.n == 0)
		return NULL;
	if (span_copy(name, sizeof(name), user) == -1 ||
	    (pw = getpwnam(name)) == NULL)
		return "no such system account";
	if (pw->pw_uid != uid || pw->pw_gid != gid)
		return "the system account has another uid or gid";
	if (!span_eq(root, span_str(pw->pw_dir)) &&
	    !path_is_below(root, span_str(pw->pw_dir)))
		return "not in the system account's home";
	return NULL;
}

/* NULL: fine. */
static const char *
owner_refusal(struct span user, uint64_t uid, uint64_t gid, struct span root)
{
	if (uid > UINT32_MAX - 1 || gid > UINT32_MAX - 1 ||
	    !generation_may_own(house.now, (uid_t)uid, (gid_t)gid))
		return "this uid or gid may not own mail";
	if (!path_is_plain(root))
		return "not a plain directory name";
	if (!house.privileged)
		return NULL;
	return account_refusal(user, uid, gid, root);
}

static void
log_refusal(
    const struct child *asker, const char *why, uint64_t uid, struct span who)
{
	log_begin(LL_ERROR, "refused");
	log_str("role", role_name(asker->role));
	log_num("uid", uid);
	log_span("user", who);
	log_str("why", why);
	log_end();
}

/* --- deliver for queue ------------------------------------------------- */

static void
worker_answer(struct child *c, uint32_t id, int fd, const char *why)
{
	struct ipc_worker_is is = { span_str(why) };
	struct buf b;

	buf_init(&b, 1024);
	ipc_worker_is_encode(&b, &is);
	child_send(c, IPC_WORKER_IS, id, &b, fd, -1);
	buf_fini(&b);
}

/*
 * One that hangs (its owner stopped it, his disk does not answer) is given up
 * by queue, but lives on. So each owner has his own bound, too, or one of
 * them could use up what there is for all.
 */
static bool
owner_has_enough(const struct ipc_worker *in)
{
	uint64_t n = 0;

	for (const struct child *c = children; c != NULL; c = c->next)
		if (c->role == ROLE_DELIVER && c->uid == (uid_t)in->uid &&
		    c->root != NULL && span_eq(span_str(c->root), in->root))
			n++;
	return n >= 2 * house.now->conf->local_concurrency;
}

static const char *
worker_start(const struct ipc_worker *in, int *fd)
{
	struct ipc_role is = { .uid = in->uid,
		.gid = in->gid,
		.user = in->user,
		.root = in->root };
	struct child *c;
	int pair[2];

	if (house.state == HOUSE_STOPPING)
		return "stopping";
	if (children_count(ROLE_DELIVER, NULL) >= WORKERS_MAX)
		return "too many deliver processes";
	if (owner_has_enough(in))
		return "too many deliver processes of this owner";
	if (ipc_pair(pair) == -1)
		return "no channel";
	c = spawn_owner(ROLE_DELIVER, &is, pair[1]);
	fd_close(&pair[1]);
	if (c == NULL) {
		fd_close(&pair[0]);
		return "cannot start a process";
	}
	*fd = pair[0];
	return NULL;
}

int
worker_asked(struct child *c, struct ipc_msg *m)
{
	struct ipc_worker in;
	const char *why;
	int fd = -1;

	if (ipc_worker_decode(m->body, &in) == -1)
		return -1;
	why = owner_refusal(in.user, in.uid, in.gid, in.root);
	if (why != NULL)
		log_refusal(c, why, in.uid, in.user);
	else
		why = worker_start(&in, &fd);
	worker_answer(c, m->id, fd, why);
	fd_close(&fd);
	return 0;
}

/* --- sessions for auth ------------------------------------------------- */

static void
session_say(struct child *c, uint32_t id, bool full, const char *why)
{
	struct ipc_session_is is = { .full = full, .why = span_str(why) };
	struct buf b;

	buf_init(&b, 1024);
	ipc_session_is_encode(&b, &is);
	child_send(c, IPC_SESSION_IS, id, &b, -1, -1);
	buf_fini(&b);
}

void
session_answer(struct child *c, uint32_t id, const char *why)
{
	session_say(c, id, false, why);
}

/* Of either protocol; login NULL: of all. */
static unsigned
sessions_count(const char *login)
{
	return children_count(ROLE_POP3D, login) +
	    children_count(ROLE_IMAPD, login);
}

static const char *
session_limit(struct span login)
{
	const struct conf *conf = house.now->conf;
	unsigned his;
	char *name;

	if (house.state == HOUSE_STOPPING)
		return "stopping";
	if (sessions_count(NULL) >= conf->sessions)
		return "too many sessions";
	if ((name = span_dup(login)) == NULL)
		return "bad login name";
	his = sessions_count(name);
	free(name);
	return his >= conf->user_sessions ? "too many sessions of this user"
					  : NULL;
}

/* Answers asker, now or when the session is born. */
static void
session_start(struct child *asker, uint32_t id, const struct ipc_session *in,
    int fd)
{
	struct ipc_role is = { .uid = in->uid,
		.gid = in->gid,
		.user = in->user,
		.root = in->root,
		.mailbox = in->mailbox,
		.login = in->login,
		.remote = in->remote,
		.sid = in->sid,
		.input = in->input,
		.tag = in->tag };

	if (stem_session(asker, id, (enum role)in->service, &is, fd))
		return;
	session_answer(asker, id,
	    spawn_owner((enum role)in->service, &is, fd) == NULL
		? "cannot start a process"
		: NULL);
}

/* NULL: fine. */
static const char *
session_refusal(const struct ipc_session *in)
{
	const char *why =
	    owner_refusal(in->user, in->uid, in->gid, in->root);

	if (why == NULL && (!path_is_plain(in->mailbox) ||
	    !path_is_below(in->mailbox, in->root)))
		why = "mailbox is not below its root";
	return why;
}

static void
log_limit(const struct ipc_session *in, const char *why)
{
	log_begin(LL_WARN, "limit");
	log_span("sid", in->sid);
	log_span("user", in->login);
	log_span("client", in->remote);
	log_str("role", role_name((enum role)in->service));
	log_str("why", why);
	log_end();
}

int
session_asked(struct child *c, struct ipc_msg *m)
{
	struct ipc_session in;
	const char *why;

	if (ipc_session_decode(m->body, &in) == -1)
		return -1;
	/* EMFILE here is no fault of auth's */
	why = m->lost ? "no descriptor is free" : session_refusal(&in);
	if (why != NULL) {
		log_refusal(c, why, in.uid, in.login);
		session_answer(c, m->id, why);
	} else if ((why = session_limit(in.login)) != NULL) {
		log_limit(&in, why);
		session_say(c, m->id, house.state != HOUSE_STOPPING, why);
	} else {
		session_start(c, m->id, &in, m->fd[0]);
	}
	return 0;
}
