/*
 * pop3d: one POP3 session (RFC 1939) of one owner's mailbox, after login.
 *
 * runs as    the mailbox's owner (uid, groups), umask 077, cwd the Maildir
 * holds      fd 3 the channel to master; the client: its own socket, or one
 *            end of a pair whose other end login deciphers for us; the
 *            Maildir's directories
 * may touch  that one Maildir
 * never      sees a password, speaks TLS, opens a socket, changes a message
 * if owned   the attacker has what the owner already had
 *
 * Blocking and straight; the state is the program counter. SIGTERM (master
 * stops, or died) ends the session between two commands; nothing is removed
 * then.
 */
#include <assert.h>
#include <errno.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/daemon_session.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "pop3d/session.h"

static struct daemon self = { .role = ROLE_POP3D };
static struct session session;

/*
 * RFC 3206: PERM is what somebody has to mend. The client is told that much;
 * the path and the reason are for the log.
 */
static _Noreturn void
refuse(int errnum)
{
	const char *text = "-ERR [SYS/TEMP] cannot open the mailbox now\r\n";

	if (daemon_session_broken(errnum))
		text = "-ERR [SYS/PERM] cannot open the mailbox\r\n";
	if (errnum == E2BIG)
		text = "-ERR [SYS/PERM] too many messages for POP3\r\n";
	(void)net_write(&session.net, span_str(text));
	(void)net_flush(&session.net);
	daemon_session_refused(&self, errnum);
}

/* Where has my mail gone? The same line as imapd's. */
static void
log_removed(void)
{
	if (session.removed == 0)
		return;
	log_begin(LL_INFO, "expunge");
	log_span("sid", self.role_is.sid);
	log_span("user", self.role_is.login);
	log_str("folder", "INBOX");
	log_num("n", session.removed);
	if (session.qids.n > 0)
		log_span("qids", buf_get(&session.qids));
	log_end();
}

static void
log_logout(void)
{
	daemon_session_logout(&self, "pop3", session.end);
	log_num("messages", session.drop.n);
	log_num("retrieved", session.retrieved);
	log_num("size", session.octets);
	log_num("removed", session.removed);
	log_end();
	log_flush();
}

int
main(int argc, char **argv)
{
	daemon_start(&self, argc, argv);
	assert(self.conf != NULL);
	net_stop_on_term();
	net_init(&session.net, self.client_fd, POP3_LINE_MAX,
	    self.conf->pop3_timeout * 1000, self.role_is.input);
	buf_init(&session.line, POP3_LINE_MAX);
	buf_init(&session.qids, LOG_VALUE_MAX);
	if (self.dir_fd == -1)
		refuse(self.dir_errno);
	if (maildrop_init(&session.drop, self.dir_fd) == -1)
		refuse(errno);
	session_run(&session);
	net_fini(&session.net);
	log_removed();
	log_logout();
	/* Litter of deliveries: somebody has to, and we are here. */
	maildir_sweep(self.dir_fd, (int64_t)time(NULL));
	maildrop_fini(&session.drop);
	/* The libraries have nothing to say any more. */
	_exit(log_fini() == 0 ? EX_OK : EX_IOERR);
}
