/*
 * check_net: names, certificate, ports and addresses of `postern check`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check.h"
#include "lib/aliases.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "lib/os_watch.h"
#include "lib/resolve.h"
#include "lib/text.h"
#include "lib/tls.h"

enum {
	EXPIRY_WARNING = 14, /* days */
	ALIASES_SHOWN = 10,
};

void
check_names(struct check *k)
{
	const struct conf *c = k->conf;
	struct span host = span_str(c->hostname);

	if (!span_has(host, '.') || span_istarts(host, SPAN("localhost")))
		check_odd(k, "hostname is %s; other hosts expect a full name "
		    "such as mail.example.org", c->hostname);
	else
		check_ok(k, "hostname %s", c->hostname);
	if (c->domains.n == 0 && c->system_domains.n == 0)
		check_bad(k, "domains is empty: this host takes mail for "
		    "nobody; add: domains = example.org");
	else
		check_ok(k, "local domains: %zu",
		    c->domains.n + c->system_domains.n);
}

static void
certificate(struct check *k, const struct tls_server *s)
{
	const struct conf *c = k->conf;
	int64_t days = tls_server_left(s) / 86400;

	if (tls_server_left(s) <= 0)
		check_bad(k, "tls-certificate %s has expired; renew it, then: "
		    "postern reload", c->tls_certificate);
	else if (days < EXPIRY_WARNING)
		check_odd(k, "tls-certificate %s expires in %lld days; renew "
		    "it, then: postern reload", c->tls_certificate,
		    (long long)days);
	else
		check_ok(k, "tls-certificate %s, %lld days left",
		    c->tls_certificate, (long long)days);
	if (!tls_server_names(s, c->hostname))
		check_odd(k, "tls-certificate %s does not name %s; clients "
		    "that connect to that name will complain",
		    c->tls_certificate, c->hostname);
}

/* Whom relay believes when the policy is to verify. */
static void
authorities(struct check *k)
{
	const char *file = k->conf->tls_ca_file;
	char why[256] = "";

	tls_client_free(tls_client_new(file, why, sizeof(why)));
	if (why[0] != '\0' && file[0] != '\0')
		check_bad(k, "tls-ca-file: %s; correct it, or leave it out for "
		    "the system's authorities", why);
	else if (why[0] != '\0')
		check_odd(k, "tls-ca-file is not set, and the system has no "
		    "authorities (%s): mail that must be verified waits; "
		    "install ca-certificates", why);
}

void
check_tls(struct check *k)
{
	const struct conf *c = k->conf;
	struct tls_server *s = NULL;
	char why[256] = "";
	struct stat st;
	int cert, key;

	authorities(k);
	if (c->tls_certificate[0] == '\0') {
		check_odd(k, "tls-certificate is not set: no TLS, so nobody "
		    "can log in from outside; set tls-certificate and "
		    "tls-key");
		return;
	}
	cert = open(c->tls_certificate, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (cert == -1)
		check_bad(k, "tls-certificate %s: %s; put one there in PEM, "
		    "or take the line out: then there is no TLS",
		    c->tls_certificate, strerror(errno));
	key = open(c->tls_key, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (key == -1)
		check_bad(k, "tls-key %s: %s; put the certificate's key there "
		    "in PEM", c->tls_key, strerror(errno));
	else if (fstat(key, &st) == 0 && (st.st_mode & 027) != 0)
		check_bad(k, "tls-key %s has mode %o: others may read it; "
		    "type: chmod 600 '%s'", c->tls_key, st.st_mode & 0777,
		    c->tls_key);
	if (cert != -1 && fstat(cert, &st) == 0 && (st.st_mode & 022) != 0)
		check_bad(k, "tls-certificate %s has mode %o: others may write "
		    "to it; type: chmod go-w '%s'", c->tls_certificate,
		    st.st_mode & 0777, c->tls_certificate);
	if (cert != -1 && key != -1) {
		if (tls_server_add(&s, cert, key, why, sizeof(why)) == -1)
			check_bad(k, "tls-certificate %s, tls-key %s: %s",
			    c->tls_certificate, c->tls_key, why);
		else
			certificate(k, s);
	}
	tls_server_free(s);
	fd_close(&cert);
	fd_close(&key);
}

/* Running: does somebody answer? Not running: is the port free? */
static void
port(struct check *k, const char *key, const struct conf_listen *l)
{
	int on = 1, rc, fd;
	int family = l->ss.ss_family;
	const struct sockaddr *sa = (const void *)&l->ss;

	if (span_ends(span_str(l->text), SPAN(":0")))
		return; /* any port; run-dir/listeners has it */
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) { /* a kernel without IPv6 */
		check_odd(k, "%s %s: %s", key, l->text, strerror(errno));
		return;
	}
	if (k->running) {
		rc = connect(fd, sa, l->len);
	} else {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
		if (family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
			    sizeof(on));
		rc = bind(fd, sa, l->len);
		if (rc == 0)
			rc = listen(fd, 1);
	}
	if (rc == 0)
		check_ok(k, "%s %s", key, l->text);
	else if (errno == EADDRINUSE)
		check_bad(k, "%s %s: another program listens there; type: ss "
		    "-ltnp 'sport = :%s', and stop it", key, l->text,
		    strrchr(l->text, ':') + 1);
	else if (errno == EACCES)
		check_bad(k, "%s %s: only root may listen on this port; start "
		    "as root, or set %s to a port above 1023", key, l->text,
		    key);
	else if (errno == ECONNREFUSED)
		check_bad(k, "%s %s: Postern runs, but nobody answers there; "
		    "type: postern reload", key, l->text);
	else
		check_odd(k, "%s %s: %s", key, l->text, strerror(errno));
	fd_close(&fd);
}

void
check_ports(struct check *k)
{
	const struct conf *c = k->conf;
	const struct {
		const char *key;
		const struct conf_listens *l;
	} all[] = { { "listen-smtp", &c->listen_smtp },
		{ "listen-submission", &c->listen_submission },
		{ "listen-submissions", &c->listen_submissions },
		{ "listen-pop3", &c->listen_pop3 },
		{ "listen-pop3s", &c->listen_pop3s },
		{ "listen-imap", &c->listen_imap },
		{ "listen-imaps", &c->listen_imaps } };
	bool tls = c->tls_certificate[0] != '\0';

	for (size_t i = 0; i < nitems(all); i++) {
		if (!tls && span_ends(span_str(all[i].key), SPAN("s")) &&
		    all[i].l->n != 0)
			continue; /* said: no TLS */
		for (size_t j = 0; j < all[i].l->n; j++)
			port(k, all[i].key, &all[i].l->at[j]);
	}
}

/* Mailboxes of virtual users belong to one uid, which has so many watches. */
void
check_watches(struct check *k)
{
	const struct conf *c = k->conf;
	unsigned limit = os_watch_limit();

	if (limit == 0 || limit >= c->sessions ||
	    c->listen_imap.n + c->listen_imaps.n == 0)
		return;
	check_odd(k, "fs.inotify.max_user_instances is %u, sessions is %lld: "
	    "IMAP sessions of one uid beyond that look for new mail once a "
	    "second; type: sysctl -w fs.inotify.max_user_instances=%lld",
	    limit, (long long)c->sessions, (long long)c->sessions + 128);
}

static struct map *
map_named(const struct check *k, const char *name)
{
	char path[PATH_LEN_MAX];
	int fd;

	if (ctl_path(path, k->conf->map_dir, name) == -1 ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	return map_open(fd);
}

/* --- where aliases lead ------------------------------------------------ */

struct aliases_seen {
	struct check *k;
	struct maps maps;
	unsigned seen, bad;
};

static int
alias(void *arg, struct span key, struct span targets, size_t line)
{
	struct aliases_seen *a = arg;
	const struct conf *c = a->k->conf;
	struct resolved_list list = { 0 };
	const char *why = NULL;
	struct buf address;

	(void)targets;
	buf_init(&address, SMTP_PATH_MAX);
	buf_str(&address, key.p[0] == '@' ? "-" : ""); /* nobody, we hope */
	buf_span(&address, key);
	if (!span_has(key, '@')) {
		buf_char(&address, '@');
		buf_str(&address, c->default_domain);
	}
	a->seen++;
	if (!address.bad)
		(void)resolve_all(c, &a->maps, buf_get(&address), &list, &why);
	if (why != NULL && a->bad++ < ALIASES_SHOWN)
		check_bad(a->k, "%s/aliases:%zu: %.*s: %s; correct it and "
		    "type: postern map aliases", c->map_dir, line,
		    SPAN_FMT(key), why);
	resolved_list_fini(&list);
	buf_fini(&address);
	return 0;
}

void
check_aliases(struct check *k)
{
	struct aliases_seen a = { .k = k, .maps = {
		.users = map_named(k, "users.cdb"),
		.aliases = map_named(k, "aliases.cdb") } };
	struct buf text = { 0 }, err;
	char path[PATH_LEN_MAX];

	buf_init(&err, 1024 * 1024);
	if (a.maps.users != NULL && a.maps.aliases != NULL &&
	    ctl_path(path, k->conf->map_dir, "aliases") == 0 &&
	    text_load(path, TEXT_FILE_MAX, &text, &err) == 0 &&
	    aliases_read(k->conf, buf_get(&text), path, alias, &a, &err) == 0) {
		if (a.bad > ALIASES_SHOWN)
			check_bad(k, "and %u aliases more",
			    a.bad - ALIASES_SHOWN);
		else if (a.bad == 0)
			check_ok(k, "aliases: %u", a.seen);
	} else if (err.n != 0 && access(path, F_OK) == 0) {
		check_bad(k, "%s", buf_cstr(&err));
	}
	map_close(a.maps.users);
	map_close(a.maps.aliases);
	buf_fini(&text);
	buf_fini(&err);
}

/* RFC 5321 4.5.1: mail to postmaster must find somebody. */
void
check_mail(struct check *k)
{
	struct maps m = { .users = map_named(k, "users.cdb"),
		.aliases = map_named(k, "aliases.cdb") };
	struct resolved_list list = { 0 };
	const struct conf *c = k->conf;
	const char *why = NULL;
	struct buf address;

	buf_init(&address, SMTP_PATH_MAX);
	buf_fmt(&address, "postmaster@%s", c->default_domain);
	if (m.users != NULL && resolve_is_local_domain(c,
		span_str(c->default_domain))) {
		if (resolve_all(c, &m, buf_get(&address), &list, &why) ==
		    RESOLVE_MAILBOX)
			check_ok(k, "mail for %s finds somebody",
			    buf_cstr(&address));
		else
			check_bad(k, "nobody gets mail for %s (%s): add a line "
			    "such as \"postmaster: ann@%s\" to %s/aliases and "
			    "type: postern map aliases", buf_cstr(&address),
			    why != NULL ? why : "unknown", c->default_domain,
			    c->map_dir);
	}
	resolved_list_fini(&list);
	map_close(m.users);
	map_close(m.aliases);
	buf_fini(&address);
}
