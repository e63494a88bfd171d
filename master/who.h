/*
 * who: the sessions of mailboxes (pop3d, imapd), as an administrator sees
 * and ends them: who [--json] [WHOM]..., kick WHOM...
 *
 * WHOM is a login name, a session id or a client's address; none means all.
 * There may be tens of thousands: they are told some at a time, the youngest
 * first, and none while the asker has much to read.
 */
#ifndef MASTER_WHO_H
#define MASTER_WHO_H

#include "lib/ipc_ctl.h"

struct who;

/* All is told; exit status of sysexits(3), and why. The who goes now. */
typedef void who_end_fn(void *arg, uint32_t id, unsigned status,
    const char *why);

/*
 * Text goes to `to`, which is borrowed; end is called from the loop, never
 * before this has returned.
 */
struct who *who_begin(struct ipc *to, uint32_t id, const struct ipc_ctl *,
    who_end_fn *end, void *arg);
void who_free(struct who *); /* NULL is fine */

#endif
