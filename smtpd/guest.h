/*
 * guest: how many clients, how often: connections and messages, for the
 * process, for each client's network and each local account (lib/tally.h).
 */
#ifndef SMTPD_GUEST_H
#define SMTPD_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/span.h"
#include "smtpd/server.h"

struct reply;
struct session;

/*
 * A client has come; who (a network, an account) is empty if it may come as
 * often as it likes. NULL: welcome; else a 421 to be said. *counted: it is
 * in the shared counters, guest_leaves() must follow.
 */
const struct reply *guest_comes(struct span who, enum guest kind,
    bool *counted);
void guest_leaves(struct span who);

/* ms that this client may take for a command: less in a crowd. */
uint64_t guest_patience(const struct session *);

/* One more transaction: NULL, or why not. */
const struct reply *guest_sends(struct session *);

#endif
