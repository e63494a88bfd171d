/*
 * stem: sessions by a fork without exec. For each kind of session (pop3d,
 * imapd) one process, the stem, has executed its program and read the
 * configuration; when auth wants a session, the stem forks it. The new
 * process is master's own child: counted, reaped and ended as any other.
 * What a stem may and may not: lib/daemon_stem.c.
 *
 *	asked --FORK--> unborn (pid 0) --FORK_IS--> born, auth is answered
 *	                   `--stem failed, died--> auth is told so
 *
 * All sessions of one stem have the same layout of memory. So the stem is
 * renewed, with another layout, when a session of it crashed (who guesses an
 * address has one try), after STEM_FORKS_MAX sessions, and at a reload.
 * Where the system has no such fork, or no stem is there just now, master
 * forks and executes.
 */
#ifndef MASTER_STEM_H
#define MASTER_STEM_H

#include "lib/ipc_setup.h"

struct child;
struct seat;

/* At start: a seat for each kind. */
void stems_start(void);
/*
 * Asks the stem of that role; session_answer() comes when it is known. fd is
 * borrowed. false: there is no stem, nothing has been done.
 */
bool stem_session(struct child *asker, uint32_t id, enum role,
    struct ipc_role *is, int fd);
/* IPC_FORK_IS. -1: malformed. */
int stem_forked(struct child *stem, struct ipc_msg *);
/* A fresh one; the old one goes when it has done what it was asked. */
void stem_renew(struct seat *);

/* The ends, when they are out of the list. */
void stem_ended(struct child *stem);
void stem_session_ended(const struct child *, int status);

#endif
