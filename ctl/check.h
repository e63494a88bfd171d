/*
 * check: what the parts of `postern check` share. Each finding is one line:
 * what was looked at, what was found, what was expected, what to type.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <sys/stat.h>
#include <sys/types.h>

#include "ctl/ctl.h"

struct check {
	const struct ctl *ctl;
	const struct conf *conf;
	bool quiet;      /* only what is wrong */
	bool running;    /* master answers */
	unsigned bad, odd;
};

void check_ok(struct check *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Works, but somebody may want to know. */
void check_odd(struct check *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void check_bad(struct check *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ctl/check_files.c: accounts, programs, maps. */
void check_accounts(struct check *);
void check_programs(struct check *);
void check_maps(struct check *);
/* ctl/check_owners.c: directories, the log, mailboxes: whose they are. */
void check_places(struct check *);
void check_log(struct check *);
void check_mailboxes(struct check *);
/* ctl/check_net.c: names, certificate, ports, where mail goes. */
void check_names(struct check *);
void check_tls(struct check *);
void check_ports(struct check *);
void check_watches(struct check *);
void check_aliases(struct check *);
void check_mail(struct check *);

/* ctl/check_dns.c: do the resolvers answer? */
void check_dns(struct check *);
/* ctl/check_queue.c: which next hops are down? */
void check_queue(struct check *);

/*
 * Says what is wrong if a file does not belong to owner, or lets others do
 * what the bits in deny are for.
 */
bool check_guard(struct check *, const char *key, const char *path,
    const struct stat *, uid_t owner, mode_t deny);
/* The same for a file, if it is there, that is root's or our own. */
bool check_file(struct check *, const char *key, const char *path,
    mode_t deny);

/* Name or number to uid; -1: no such account. */
int check_uid(const char *account, uid_t *);

#endif
