/*
 * dns: asks name servers, for all who want to know.
 *
 * runs as    user-dns, in an empty root directory
 * holds      fd 3 the channel to master, one channel to each relay, the
 *            sockets to name servers that it makes itself
 * never      opens a file, listens, passes on a name that is not printable
 * if owned   the attacker may say where mail for other hosts goes, as anyone
 *            could without DNSSEC; no mail, no password, no file
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/question.h"
#include "dns/resolver.h"
#include "lib/daemon.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"

static void on_peer(struct daemon_peer *);
static void on_map(const char *, int);
static void on_conf(void);
static void prepare(void);

static struct daemon self = {
	.role = ROLE_DNS,
	.on_peer = on_peer,
	.on_map = on_map,
	.on_conf = on_conf,
	.prepare = prepare,
};

static struct buf resolv, anchor; /* the texts that master gave */
static struct buf in_force;       /* all that the resolver was made of */

/* Takes fd; -1: no text. */
static void
text_take(struct buf *b, int fd)
{
	ssize_t n = 0;
	char *p;

	buf_clear(b);
	while (fd != -1 && (p = buf_room(b, 4096)) != NULL &&
	    (n = pread(fd, p, 4096, (off_t)b->n)) > 0)
		buf_grew(b, (size_t)n);
	if (fd != -1 && (n != 0 || b->bad)) { /* half of one is none */
		log_msg(LL_ERROR, "dns", "cannot read what master gave");
		buf_clear(b);
	}
	fd_close(&fd);
}

static void
made_of(struct buf *b)
{
	static const char *const keys[] = { "resolver", "dnssec", "dns-cache" };

	for (size_t i = 0; i < nitems(keys); i++) {
		(void)conf_write_key(self.conf, span_str(keys[i]), b);
		buf_char(b, '\n');
	}
	if (conf_list_has(&self.conf->resolver, SPAN("system")))
		buf_span(b, buf_get(&resolv));
	buf_char(b, '\0');
	if (strcmp(self.conf->dnssec, "no") != 0)
		buf_span(b, buf_get(&anchor));
}

/* A new resolver, if it would be another than the one in force. */
static void
renew(void)
{
	struct buf now;
	const char *why;

	buf_init(&now, 3 * SYSTEM_TEXT_MAX);
	made_of(&now);
	if (in_force.n > 0 && span_eq(buf_get(&now), buf_get(&in_force))) {
		buf_fini(&now);
		return;
	}
	buf_fini(&in_force);
	in_force = now;
	why = resolver_open(self.conf, buf_get(&resolv), buf_get(&anchor));
	log_begin(why == NULL ? LL_INFO : LL_ERROR, "resolver");
	for (size_t i = 0; i < self.conf->resolver.n; i++)
		log_str("server", self.conf->resolver.word[i]);
	if (why != NULL)
		log_str("why", why);
	log_end();
	question_resolver(why);
}

static void
on_conf(void)
{
	question_timeout(self.conf->dns_timeout);
	renew();
}

static void
on_map(const char *name, int fd)
{
	text_take(strcmp(name, "resolv.conf") == 0 ? &resolv : &anchor, fd);
	renew();
}

/* In the sandbox: what reads answers is never anywhere else. */
static void
prepare(void)
{
	buf_init(&resolv, SYSTEM_TEXT_MAX + 4096);
	buf_init(&anchor, SYSTEM_TEXT_MAX + 4096);
	text_take(&resolv, self.resolv_fd);
	text_take(&anchor, self.anchor_fd);
	self.resolv_fd = self.anchor_fd = -1;
	on_conf();
}

static void
on_gone(struct ipc *peer, void *arg)
{
	(void)arg;
	question_forget(peer); /* master makes a new one and tells us */
	ipc_free(peer);
}

static void
on_peer(struct daemon_peer *p)
{
	question_asker(ipc_new(
	    p->fd, ROLE_DNS, p->role, question_take, on_gone, NULL));
	p->fd = -1;
}

int
main(int argc, char **argv)
{
	daemon_start(&self, argc, argv);
	for (size_t i = 0; i < self.npeer; i++)
		on_peer(&self.peer[i]);
	loop_run();
	log_flush();
	return EXIT_SUCCESS;
}
