/*
 * ask: the channel to auth. A question goes with the descriptor that the
 * session process gets if the answer is yes.
 */
#ifndef LOGIN_ASK_H
#define LOGIN_ASK_H

#include "lib/span.h"

struct client;
struct daemon_peer;

/* A new channel, at start or because auth was restarted. Takes its fd. */
void ask_peer(struct daemon_peer *);
/*
 * The answer comes by client_verdict(); the connection is paused until then.
 * -1: auth cannot be asked now. At most AUTH_NAME_MAX, AUTH_PASSWORD_MAX.
 */
int ask_login(struct client *, struct span authzid, struct span authcid,
    struct span password);
/* The client is gone: its answer finds nobody. */
void ask_forget(struct client *);

#endif
