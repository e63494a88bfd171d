/* sender: which envelope senders a user who logged in may use. */
#ifndef SMTPD_SENDER_H
#define SMTPD_SENDER_H

#include "lib/span.h"

struct reply;
struct session;

/* The key submission-senders. NULL: he may; address may be empty, "<>". */
const struct reply *sender_check(const struct session *, struct span address);

#endif
