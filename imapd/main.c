/*
 * imapd: one IMAP session (RFC 3501) of one owner's mailbox, after login.
 *
 * runs as    the mailbox's owner (uid, groups), umask 077, cwd the Maildir
 * holds      fd 3 the channel to master; the client: its own socket, or one
 *            end of a pair whose other end login deciphers for us; the
 *            Maildir, the open folder's files, one message
 * may touch  that one Maildir
 * never      sees a password, speaks TLS, opens a socket
 * if owned   the attacker has what the owner already had
 *
 * Blocking and straight; the state is the program counter. SIGTERM (master
 * stops, or died) ends the session between two commands.
 */
#include <assert.h>
#include <errno.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "imapd/session.h"
#include "lib/charset.h"
#include "lib/daemon.h"
#include "lib/daemon_session.h"
#include "lib/folders.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/os.h"

static struct daemon self = { .role = ROLE_IMAPD };
static struct session session;

/*
 * The login is answered by us, since only we know that the mailbox cannot be
 * opened. RFC 5530 3: SERVERBUG is for somebody to mend, UNAVAILABLE passes.
 */
static _Noreturn void
refuse(int errnum)
{
	struct buf b;
	bool mend = daemon_session_broken(errnum);

	buf_init(&b, 512);
	if (self.role_is.tag.n > 0) {
		buf_span(&b, self.role_is.tag);
		buf_str(&b, mend ? " NO [SERVERBUG]" : " NO [UNAVAILABLE]");
		buf_str(&b, " cannot open the mailbox\r\n");
	}
	buf_str(&b, "* BYE cannot open the mailbox\r\n");
	(void)net_write(&session.net, buf_get(&b));
	(void)net_flush(&session.net);
	daemon_session_refused(&self, errnum);
}

static void
log_logout(void)
{
	daemon_session_logout(&self, "imap", session.end);
	log_num("commands", session.commands);
	log_num("fetched", session.fetched);
	log_num("appended", session.appended);
	log_num("size", session.octets);
	log_end();
	log_flush();
}

/* Else each client makes its own: Sent, Sent Items, Sent Messages ... */
static void
folders_begin(void)
{
	const struct conf_list *l = &self.conf->imap_folders;

	if (folders_first(folders_of(&session), l->word, l->n) == 0)
		return;
	daemon_session_log(&self, LL_WARN, "mailbox");
	log_str("what", "imap-folders");
	log_err(errno);
	log_end();
}

int
main(int argc, char **argv)
{
	os_memory_give_back();
	charset_preload();
	daemon_start(&self, argc, argv);
	assert(self.conf != NULL);
	net_stop_on_term();
	net_init(&session.net, self.client_fd, IMAP_LINE_MAX,
	    self.conf->imap_timeout * 1000, self.role_is.input);
	if (self.dir_fd == -1)
		refuse(self.dir_errno);
	session.conf = self.conf;
	session.sid = self.role_is.sid;
	session.user = self.role_is.login;
	session.dir_fd = self.dir_fd;
	folders_begin();
	session_run(&session, self.role_is.tag);
	net_fini(&session.net);
	session_fini(&session);
	log_logout();
	/* Litter of deliveries: somebody has to, and we are here. */
	maildir_sweep(self.dir_fd, (int64_t)time(NULL));
	/* The libraries have nothing to say any more. */
	_exit(log_fini() == 0 ? EX_OK : EX_IOERR);
}
