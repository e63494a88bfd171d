/*
 * daemon_impl: what the files of lib/daemon.h share: daemon_setup.c (what
 * master says before GO), daemon_stem.c (one for many), daemon_drop.c
 * (becoming harmless), daemon.c.
 * Nobody else includes this.
 */
#ifndef LIB_DAEMON_IMPL_H
#define LIB_DAEMON_IMPL_H

#include "lib/daemon.h"
#include "lib/log.h"

enum { MASTER_FD = 3 };

/* Serves one person (or one queue) in a straight line, without the loop. */
bool daemon_is_blocking(enum role);

/* Takes all messages up to GO; dies if they are not whole. */
void daemon_receive(struct daemon *);
/* Forks sessions; returns in a new one, as after GO. (lib/daemon_stem.c) */
void daemon_stem(struct daemon *);
/* Changes root and user, enters the sandbox; dies if it cannot. */
void daemon_confine(struct daemon *);

enum log_level daemon_log_level(const struct conf *);

/* Single messages, before and after GO. They die of a malformed one. */
_Noreturn void daemon_malformed(const struct ipc_msg *);
int daemon_take_fd(struct ipc_msg *, unsigned i);
struct conf *daemon_take_conf(struct ipc_msg *);
/* Who we are; client: which of the descriptors is the one peer's. */
void daemon_take_role(struct daemon *, struct ipc_msg *, unsigned client);
/* Keys for session tickets, into d. */
void daemon_take_tickets(struct daemon *, const struct ipc_msg *);
/* A new descriptor 2. (lib/daemon_log.c) */
void daemon_take_log(struct ipc_msg *);
/* Who blocks takes it when SIGUSR1 comes. */
void daemon_log_on_signal(void);
/* A new peer, or the successor of one that died. */
struct daemon_peer *daemon_take_peer(struct daemon *, struct ipc_msg *);
/* Where the descriptor of that map stands at start; NULL: no such map. */
int *daemon_map_slot(struct daemon *, struct span name);

#endif
