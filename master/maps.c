/*
 * maps: `postern map` replaces a map by rename; whatever else happens to the
 * file is seen by its stamp. Children get a sealed copy in memory, one for
 * all of them: they look into it without a system call, and nobody who
 * truncates the file can pull it away under them. The old copy stays in
 * force while the new file is not fit. Two texts of the system, where its
 * resolvers are and what DNSSEC trusts, travel in the same way, unread here.
 */
#include "master/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/die.h"
#include "lib/ipc_setup.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/map.h"
#include "master/child.h"
#include "master/generation.h"
#include "master/house.h"
#include "master/reload.h"
#include "master/topology.h"

enum { LOOK_MS = 10 * 1000 };

struct map_file {
	const char *name;
	/* The file; NULL: none is wanted. Default: map-dir/NAME.cdb */
	const char *(*path)(const struct conf *);
	bool secret;             /* nobody else may read it */
	bool optional;           /* that there is none is nothing to say */
	int fd;                  /* the copy that is handed out; -1: none */
	struct file_stamp stamp; /* of the file last looked at */
	bool refused;            /* it was not fit; said once */
	const char *damaged;     /* why the file of that stamp is not */
	const char *unfit;       /* optional, there, and why it is not fit */
};

static const char *
resolv_path(const struct conf *c)
{
	return conf_list_has(&c->resolver, SPAN("system")) ? "/etc/resolv.conf"
							   : NULL;
}

/* Where systems and packages of resolvers keep the root's keys. */
static const char *const anchor_places[] = { "/usr/share/dns/root.key",
	"/var/lib/unbound/root.key", "/etc/unbound/root.key",
	"/usr/local/etc/unbound/root.key", "/var/unbound/db/root.key",
	"/usr/share/dnssec-root/trusted-key.key", "/etc/trusted-key.key" };

static const char *
anchor_path(const struct conf *c)
{
	if (strcmp(c->dnssec, "no") == 0)
		return NULL;
	if (c->dns_trust_anchor[0] != '\0')
		return c->dns_trust_anchor;
	for (size_t i = 0; i < nitems(anchor_places); i++)
		if (access(anchor_places[i], R_OK) == 0)
			return anchor_places[i];
	return strcmp(c->dnssec, "yes") == 0 ? anchor_places[0] : NULL;
}

static struct map_file maps[] = {
	{ .name = "users", .fd = -1 },
	{ .name = "aliases", .fd = -1 },
	{ .name = "credentials", .secret = true, .fd = -1 },
	{ .name = "transport", .optional = true, .fd = -1 },
	{ .name = "tls-policy", .optional = true, .fd = -1 },
	{ .name = "relay-passwords", .optional = true, .secret = true,
	    .fd = -1 },
	{ .name = "resolv.conf", .path = resolv_path, .fd = -1 },
	{ .name = "trust-anchor", .path = anchor_path, .fd = -1 },
};

static struct timer look;

static void
map_send(struct child *c, const struct map_file *f)
{
	struct ipc_map msg = { span_str(f->name) };
	struct buf b;

	buf_init(&b, 64);
	ipc_map_encode(&b, &msg);
	child_send(c, IPC_MAP, 0, &b, f->fd, -1);
	buf_fini(&b);
}

void
maps_give(struct child *c, const struct topology_row *row)
{
	for (size_t i = 0; i < nitems(maps); i++)
		if (topology_has_map(row, maps[i].name))
			map_send(c, &maps[i]);
}

static void
map_give_all(const struct map_file *f)
{
	const struct topology_row *row;

	for (struct child *c = children; c != NULL; c = c->next)
		if ((row = topology_row(c->role)) != NULL &&
		    topology_has_map(row, f->name))
			map_send(c, f);
}

/* NULL: fit to be handed out. */
static const char *
map_refusal(const struct map_file *f, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a file";
	if (f->path != NULL) /* resolvers own theirs, as their own users */
		return (st->st_mode & 002) == 0 ? NULL
						: "everybody may write it; "
						  "chmod o-w it";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to somebody else; chown it";
	if ((st->st_mode & 022) != 0)
		return "others may write it; chmod go-w it";
	if (f->secret && (st->st_mode & 077) != 0)
		return "others may read it; chmod go= it";
	return NULL;
}

static void
log_map(const struct map_file *f, enum log_level level, const char *why)
{
	log_begin(level, "map");
	log_str("name", f->name);
	log_str("why", why);
	log_end();
}

/* A copy of the file in memory, if it is a whole map. NULL: in *copy. */
static const char *
map_copy(
    const struct map_file *f, int fd, const struct stat *st, int *copy)
{
	struct map *map;

	if (f->path != NULL && st->st_size > SYSTEM_TEXT_MAX)
		return "too long";
	*copy = generation_copy_large(fd, st->st_size);
	if (*copy == -1)
		return strerror(errno);
	if (f->path != NULL)
		return NULL;
	map = map_open(dup(*copy));
	if (map == NULL) {
		fd_close(copy);
		return "damaged; run postern map";
	}
	map_close(map);
	return NULL;
}

/* -1: no such file is wanted. */
static int
map_path(const struct map_file *f, char path[PATH_LEN_MAX])
{
	const struct conf *c = house.now->conf;

	if (f->path == NULL) {
		snprintf(path, PATH_LEN_MAX, "%s/%s.cdb", c->map_dir, f->name);
		return 0;
	}
	if (f->path(c) == NULL)
		return -1;
	return span_copy(path, PATH_LEN_MAX, span_str(f->path(c)));
}

/* A reload did away with it; should it come back, it is new. */
static const char *
map_unwanted(struct map_file *f)
{
	fd_close(&f->fd);
	memset(&f->stamp, 0, sizeof(f->stamp));
	f->damaged = NULL;
	return NULL;
}

/* NULL: fine; *copy is new, or -1 if the file is the same as before. */
static const char *
map_load(struct map_file *f, int *copy)
{
	char path[PATH_LEN_MAX];
	struct file_stamp stamp;
	const char *why;
	struct stat st;
	int fd;

	if (map_path(f, path) == -1)
		return map_unwanted(f);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		why = strerror(errno);
		fd_close(&fd); /* keeps errno */
		return why;
	}
	file_stamp_of(&st, &stamp);
	why = map_refusal(f, &st);
	if (why == NULL && !file_stamp_eq(&stamp, &f->stamp)) {
		f->stamp = stamp;
		why = f->damaged = map_copy(f, fd, &st, copy);
	} else if (why == NULL) {
		why = f->damaged; /* still */
	}
	fd_close(&fd);
	return why;
}

/* 1: there is a new one, in force now. */
static unsigned
map_look(struct map_file *f)
{
	const char *why;
	int copy = -1;

	errno = 0;
	f->unfit = NULL;
	if ((why = map_load(f, &copy)) != NULL) {
		if (!f->refused && !(f->optional && errno == ENOENT))
			log_map(f, f->fd == -1 ? LL_WARN : LL_ERROR, why);
		if (f->optional && errno != ENOENT)
			f->unfit = why;
		f->refused = true;
		return 0;
	}
	f->refused = false;
	if (copy == -1)
		return 0;
	fd_close(&f->fd);
	f->fd = copy;
	log_map(f, LL_INFO, "new");
	map_give_all(f);
	return 1;
}

unsigned
maps_look(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < nitems(maps); i++)
		n += map_look(&maps[i]);
	return n;
}

static void
on_look(struct timer *t)
{
	loop_timer(t, LOOK_MS);
	if (house.state == HOUSE_STOPPING)
		return;
	maps_look();
	reload_look_at_certificate();
}

/*
 * Without users or aliases mail waits. Without a map that is optional mail
 * would go another way than its owner wants, in plain text, or without a
 * password: one that is there and cannot be used is no reason to start.
 */
static void
optional_must_be_fit(void)
{
	for (size_t i = 0; i < nitems(maps); i++)
		if (maps[i].unfit != NULL)
			die("%s/%s.cdb: %s; or remove it",
			    house.now->conf->map_dir, maps[i].name,
			    maps[i].unfit);
}

void
maps_start(void)
{
	maps_look();
	optional_must_be_fit();
	look.fn = on_look;
	loop_timer(&look, LOOK_MS);
}
