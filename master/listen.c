/*
 * listen: sockets are found again by service and address, so that a reload
 * never closes one that stays. A client that connects meanwhile waits in its
 * backlog and loses nothing.
 */
#include "master/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"

enum { BACKLOG = 512 };

struct listener *listeners;

static struct listener *
listener_find(const char *service, const char *address)
{
	for (struct listener *l = listeners; l != NULL; l = l->next_one)
		if (strcmp(l->service, service) == 0 &&
		    (strcmp(l->asked, address) == 0 ||
			strcmp(l->bound, address) == 0))
			return l;
	return NULL;
}

/* Takes fd. */
static struct listener *
listener_new(const char *service, const char *asked, const char *bound, int fd)
{
	struct listener *l = xcalloc(1, sizeof(*l)), **at = &listeners;

	l->fd = fd;
	(void)span_copy(l->service, sizeof(l->service), span_str(service));
	(void)span_copy(l->asked, sizeof(l->asked), span_str(asked));
	(void)span_copy(l->bound, sizeof(l->bound), span_str(bound));
	while (*at != NULL)
		at = &(*at)->next_one;
	*at = l;
	return l;
}

/* --- addresses --------------------------------------------------------- */

static void
bound_text(int fd, char *out, size_t size)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in *in = (const void *)&ss;
	const struct sockaddr_in6 *in6 = (const void *)&ss;

	memset(&ss, 0, sizeof(ss));
	getsockname(fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
	}
}

static int
inet_open(const struct conf_listen *at)
{
	int fd, yes = 1;

	fd = socket(
	    at->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Old connections in TIME_WAIT shall not keep us from starting. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1)
		goto fail;
	/*
	 * Daemons gather what they write, so every write is due now. What is
	 * accepted inherits it: no call for each client. No harm if not.
	 */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (at->ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == -1)
		goto fail;
	if (bind(fd, (const struct sockaddr *)&at->ss, at->len) == -1 ||
	    listen(fd, BACKLOG) == -1)
		goto fail;
	return fd;
fail:
	fd_close(&fd);
	return -1;
}

/* A host without IPv6 has no "[::]": that is no error, and no socket. */
static bool
is_absent_family(const struct conf_listen *at)
{
	const struct sockaddr_in6 *in6 = (const void *)&at->ss;

	return at->ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

static int
plan_inet(const char *service, const struct conf_listen *at, struct buf *err)
{
	struct listener *l = listener_find(service, at->text);
	char bound[128];
	int fd;

	if (l == NULL) {
		if ((fd = inet_open(at)) == -1) {
			if (is_absent_family(at))
				return 0;
			buf_fmt(err, "listen-%s: cannot listen on %s: %s%s\n",
			    service, at->text, strerror(errno),
			    errno == EADDRINUSE
				? "; another mail server is there"
				: errno == EACCES
				? "; ports below 1024 need root"
				: "");
			return -1;
		}
		bound_text(fd, bound, sizeof(bound));
		l = listener_new(service, at->text, bound, fd);
	}
	l->next = true;
	return 0;
}

/* --- the file system --------------------------------------------------- */

static int
unix_open(const char *path, int type, mode_t mode)
{
	struct sockaddr_un un;
	int fd;

	memset(&un, 0, sizeof(un));
	un.sun_family = AF_UNIX;
	if (span_copy(un.sun_path, sizeof(un.sun_path), span_str(path)) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Whatever is there was left by a dead one: we hold the pid file. */
	unlink(path);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    chmod(path, mode) == -1 || listen(fd, BACKLOG) == -1)
		fd_close(&fd);
	return fd;
}

static int
plan_unix(const struct conf *c, const char *service, const char *name, int type,
    mode_t mode, struct buf *err)
{
	char path[128];
	struct listener *l;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", c->run_dir, name);
	if ((l = listener_find(service, path)) == NULL) {
		if ((fd = unix_open(path, type, mode)) == -1) {
			buf_fmt(err, "run-dir: cannot make %s: %s\n", path,
			    strerror(errno));
			return -1;
		}
		l = listener_new(service, path, path, fd);
	}
	l->next = true;
	return 0;
}

/* --- the set ----------------------------------------------------------- */

static int
plan_service(const struct conf *c, const char *service,
    const struct conf_listens *at, bool tls, struct buf *err)
{
	int rc = 0;

	if (at->n > 0 && tls && c->tls_certificate[0] == '\0') {
		log_begin(LL_WARN, "tls");
		log_str("service", service);
		log_str("why", "not offered: tls-certificate is not set");
		log_end();
		return 0;
	}
	for (size_t i = 0; i < at->n; i++)
		if (plan_inet(service, &at->at[i], err) == -1)
			rc = -1;
	return rc;
}

int
listen_plan(const struct conf *c, struct buf *err)
{
	int rc = 0, saved;

	rc |= plan_service(c, "smtp", &c->listen_smtp, false, err);
	rc |= plan_service(c, "submission", &c->listen_submission, false, err);
	rc |= plan_service(c, "submissions", &c->listen_submissions, true, err);
	rc |= plan_service(c, "pop3", &c->listen_pop3, false, err);
	rc |= plan_service(c, "pop3s", &c->listen_pop3s, true, err);
	rc |= plan_service(c, "imap", &c->listen_imap, false, err);
	rc |= plan_service(c, "imaps", &c->listen_imaps, true, err);
	if (rc == 0) {
		rc |= plan_unix(
		    c, "local", "submit.sock", SOCK_STREAM, 0666, err);
		rc |= plan_unix(
		    c, "queue", "queue.sock", SOCK_SEQPACKET, 0600, err);
		rc |=
		    plan_unix(c, "ctl", "ctl.sock", SOCK_SEQPACKET, 0600, err);
	}
	saved = errno;
	if (rc != 0)
		listen_forget();
	errno = saved;
	return rc == 0 ? 0 : -1;
}

/* Closes what is in neither set. */
static void
sweep(void)
{
	struct listener **at = &listeners, *l;

	while ((l = *at) != NULL) {
		if (l->now || l->next) {
			at = &l->next_one;
			continue;
		}
		*at = l->next_one;
		fd_close(&l->fd);
		free(l);
	}
}

void
listen_commit(void)
{
	for (struct listener *l = listeners; l != NULL; l = l->next_one) {
		l->now = l->next;
		l->next = false;
	}
	sweep();
}

void
listen_forget(void)
{
	for (struct listener *l = listeners; l != NULL; l = l->next_one)
		l->next = false;
	sweep();
}

/* "smtp 127.0.0.1 25", "local /run/postern/submit.sock -" */
static void
publish_line(FILE *f, const struct listener *l)
{
	struct span text = span_str(l->bound);
	size_t colon = span_rfind(text, ':');
	struct span host = span_slice(text, 0, colon);

	if (text.p[0] == '/') {
		fprintf(f, "%s %s -\n", l->service, l->bound);
		return;
	}
	if (host.n > 2 && host.p[0] == '[')
		host = span_slice(host, 1, host.n - 1);
	fprintf(f, "%s %.*s %s\n", l->service, SPAN_FMT(host),
	    l->bound + colon + 1);
}

void
listen_publish(const struct conf *c)
{
	char path[PATH_LEN_MAX], tmp[PATH_LEN_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/listeners", c->run_dir);
	snprintf(tmp, sizeof(tmp), "%s/listeners.tmp", c->run_dir);
	if ((f = fopen(tmp, "we")) == NULL)
		goto fail;
	(void)fchmod(fileno(f), 0644);
	for (struct listener *l = listeners; l != NULL; l = l->next_one)
		publish_line(f, l);
	if (fclose(f) == 0 && rename(tmp, path) == 0)
		return;
fail:
	log_msg(
	    LL_WARN, "listen", "cannot write %s: %s", path, strerror(errno));
}

void
listen_close(const struct conf *c)
{
	char path[PATH_LEN_MAX];

	for (struct listener *l = listeners; l != NULL; l = l->next_one) {
		if (l->bound[0] == '/')
			unlink(l->bound);
		l->now = l->next = false;
	}
	sweep();
	snprintf(path, sizeof(path), "%s/listeners", c->run_dir);
	unlink(path);
}
