/*
 * guest: how many clients, how often: connections and messages, for the
 * process and for each client's network (lib/tally.h).
 */
#ifndef SMTPD_GUEST_H
#define SMTPD_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "smtpd/server.h"

struct reply;
struct session;

/*
 * A client has come. NULL: welcome; else a 421 to be said. *counted: it is
 * in the shared counters, guest_leaves() must follow.
 */
const struct reply *guest_comes(const struct sockaddr *, enum guest kind,
    bool *counted);
void guest_leaves(const struct sockaddr *);

/* ms that this client may take for a command: less in a crowd. */
uint64_t guest_patience(const struct session *);

/* One more transaction: NULL, or why not. */
const struct reply *guest_sends(struct session *);

#endif
