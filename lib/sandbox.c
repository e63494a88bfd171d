/*
 * sandbox: one row a role. What the words mean in system calls is in
 * lib/os_linux.c and its siblings.
 *
 * - a role that reads from strangers never has OS_MAY_FILES, except those
 *   that already run as the stranger (pop3d, deliver), below one root
 * - what was logged stays logged: nobody can rewrite or empty the file behind
 *   descriptor 2; only queue, which mends its spool files, may cut one short
 * - nobody may run a program, fork, or listen; only relay may open a socket,
 *   of TCP, and connect it; only dns any socket of the internet
 * - limits only ever go down
 */
#include "lib/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <sys/resource.h>

#include "lib/os.h"
#include "lib/span.h"

struct sandbox_row {
	enum role role;
	unsigned may;
	unsigned files; /* open descriptors, most */
	unsigned mb;    /* private memory, MiB, most */
};

/* clang-format off */
static const struct sandbox_row rows[] = {
	/* role, what it may, descriptors, memory */
	{ ROLE_SMTPD,   OS_MAY_LOOP | OS_MAY_ACCEPT,                65536, 2048 },
	{ ROLE_LOGIN,   OS_MAY_LOOP | OS_MAY_ACCEPT | OS_MAY_PAIR,  65536, 2048 },
	{ ROLE_AUTH,    OS_MAY_LOOP,                                 4096, 1024 },
	{ ROLE_DNS,     OS_MAY_LOOP | OS_MAY_NET,                    4096, 1024 },
	{ ROLE_QUEUE,   OS_MAY_LOOP | OS_MAY_ACCEPT | OS_MAY_FILES |
	                OS_MAY_CUT,                                 16384, 2048 },
	{ ROLE_RELAY,   OS_MAY_LOOP | OS_MAY_CONNECT,               16384, 2048 },
	{ ROLE_DELIVER, OS_MAY_FILES,                                 512,  256 },
	{ ROLE_POP3D,   OS_MAY_FILES,                                  64,  512 },
	{ ROLE_IMAPD,   OS_MAY_FILES | OS_MAY_WATCH,                  256, 1024 },
};
/* clang-format on */

static const struct sandbox_row *
row_of(enum role role)
{
	for (size_t i = 0; i < nitems(rows); i++)
		if (rows[i].role == role)
			return &rows[i];
	return NULL;
}

bool
sandbox_has_files(enum role role)
{
	const struct sandbox_row *row = row_of(role);

	return row != NULL && (row->may & OS_MAY_FILES) != 0;
}

/* Lowers a limit, soft and hard alike; never raises one. */
static int
limit_lower(unsigned which, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(which, &r) == -1)
		return -1;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	return setrlimit(which, &r);
}

static int
limits_lower(const struct sandbox_row *row)
{
	/* Not even to look at passwords after a crash. */
	if (limit_lower(RLIMIT_CORE, 0) == -1 ||
	    limit_lower(RLIMIT_NOFILE, row->files) == -1 ||
	    limit_lower(RLIMIT_NPROC, 0) == -1)
		return -1;
#ifndef SANITIZED /* shadow memory counts as private memory */
	if (limit_lower(RLIMIT_DATA, (rlim_t)row->mb << 20) == -1)
		return -1;
#endif
	return 0;
}

#ifdef SANITIZED
/* The leak checker forks and traces its parent: not in here. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int
sandbox_enter(
    enum role role, int root_fd, const char *root, const char **partial)
{
	const struct sandbox_row *row = row_of(role);
	struct os_sandbox s = { .root_fd = root_fd, .root = root };

	*partial = "";
	if (row == NULL) {
		errno = EINVAL;
		return -1;
	}
	s.may = row->may;
	assert(root_fd == -1 || (s.may & OS_MAY_FILES) != 0);
	if (limits_lower(row) == -1)
		return -1;
	return os_sandbox_enter(&s, partial);
}
