/* ask: questions to dns and to master. An answer comes, or time is over. */
#ifndef RELAY_ASK_H
#define RELAY_ASK_H

#include "lib/ipc_dns.h"

struct daemon;
struct daemon_peer;

/* is NULL: there is nobody to ask; as good as DNS_TEMP. */
typedef void ask_dns_fn(void *arg, unsigned tag, const struct ipc_dns_is *is);
/* fd (taken) is -1: why says why. */
typedef void ask_connect_fn(void *arg, int fd, struct span why);

struct question; /* one that waits */

void ask_init(struct daemon *);
void ask_dns_peer(struct daemon_peer *); /* takes its descriptor */
int ask_master_message(struct ipc *, struct ipc_msg *);

/* NULL: cannot be asked now; fn does not come. */
struct question *ask_dns(enum dns_type type, const char *name, ask_dns_fn *fn,
    void *arg, unsigned tag);
struct question *ask_connect(const char *path, ask_connect_fn *fn, void *arg);
/* Its answer is not waited for any more; sets *q to NULL. */
void ask_forget(struct question **q);

#endif
