/* daemon_session: see daemon_session.h. */
#include "lib/daemon_session.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/daemon.h"

void
daemon_session_log(
    const struct daemon *d, enum log_level level, const char *event)
{
	log_begin(level, event);
	log_span("sid", d->role_is.sid);
	log_span("user", d->role_is.login);
}

void
daemon_session_logout(
    const struct daemon *d, const char *service, const char *why)
{
	daemon_session_log(d, LL_INFO, "logout");
	log_span("client", d->role_is.remote);
	log_str("service", service);
	log_str("why", why);
}

bool
daemon_session_broken(int errnum)
{
	return errnum == EACCES || errnum == EPERM || errnum == ELOOP ||
	    errnum == ENOTDIR || errnum == EXDEV || errnum == EINVAL;
}

_Noreturn void
daemon_session_refused(const struct daemon *d, int errnum)
{
	daemon_session_log(d, LL_ERROR, "mailbox");
	log_span("path", d->role_is.mailbox);
	log_err(errnum);
	log_end();
	log_flush();
	exit(EX_TEMPFAIL);
}
