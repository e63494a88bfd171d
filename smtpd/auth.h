/* auth: the answers of the auth process (peers.c), and AUTH's lines. */
#ifndef SMTPD_AUTH_H
#define SMTPD_AUTH_H

#include "lib/ipc.h"

struct reply;
struct session;

/* May AUTH be offered now? */
bool auth_is_offered(const struct session *);
/* The client's answer to a 334. */
const struct reply *auth_line(struct session *, struct span line);
/* Wipes the exchange, if any. */
void auth_end(struct session *);

int auth_answer(struct session *s, struct ipc_msg *);
void auth_lost(struct session *);

#endif
