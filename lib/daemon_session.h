/*
 * daemon_session: what pop3d and imapd do alike, each a process that serves
 * one client as the owner of one mailbox.
 */
#ifndef LIB_DAEMON_SESSION_H
#define LIB_DAEMON_SESSION_H

#include <stdbool.h>

#include "lib/log.h"

struct daemon;

/* Begins a line: the event, sid, user. The caller adds, and ends it. */
void daemon_session_log(
    const struct daemon *, enum log_level, const char *event);
/* The same for the last one: also the client, the service, why it ended. */
void daemon_session_logout(
    const struct daemon *, const char *service, const char *why);

/* Has somebody to mend what keeps a mailbox closed, or does it pass? */
bool daemon_session_broken(int errnum);
/* The mailbox cannot be opened, and the client knows it: the end. */
_Noreturn void daemon_session_refused(const struct daemon *, int errnum);

#endif
