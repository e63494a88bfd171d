/*
 * connect: LMTP sockets for relay, which cannot see the file system. What it
 * asks for is believed only as far as `lmtp-sockets` of the configuration in
 * force names it, byte for byte.
 */
#ifndef MASTER_CONNECT_H
#define MASTER_CONNECT_H

#include "lib/ipc.h"

struct child;

/* 0: answered (perhaps with a refusal). -1: malformed; ends the asker. */
int connect_asked(struct child *, struct ipc_msg *);

#endif
