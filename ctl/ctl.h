/*
 * ctl: what the verbs of postern(8) share. A verb is a function that gets
 * its arguments and returns an exit status of sysexits(3).
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <sysexits.h>

#include "lib/conf.h"
#include "lib/role.h"

struct ctl {
	const char *conf_path; /* as given with -c, or the default */
	struct conf *conf;     /* read, if the verb's row says so */
};

/* argv[0] is the verb; argv[argc] is NULL. */
typedef int verb_fn(struct ctl *, int argc, char **argv);

verb_fn verb_start, verb_stop, verb_reload, verb_status, verb_topology;
verb_fn verb_check, verb_config, verb_map, verb_user;
verb_fn verb_who, verb_kick, verb_queue, verb_queue_do;
verb_fn verb_trace, verb_log, verb_version;

/* sendmail(8), for people and programs that know only it. */
int sendmail_main(struct ctl *, int argc, char **argv);

/* Prints "postern: ..." to standard error and returns code. */
int ctl_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with the usage of the running verb; EX_USAGE. */
int ctl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Reads the configuration into c->conf, or says why not: EX_CONFIG. */
int ctl_conf(struct ctl *);
/* Writes all of b to standard output; EX_IOERR if it is gone. */
int ctl_print(const struct buf *b);

/*
 * Asks master or the queue (ctl.sock, queue.sock in run-dir); its text goes
 * to standard output, or into out. The exit status it gave; EX_UNAVAILABLE
 * if nobody is there. What went wrong is said on standard error unless quiet.
 */
int talk(const struct ctl *, enum role whom, int argc, char *const *argv,
    struct buf *out, bool quiet);
/* Is there a master that answers? */
bool talk_is_up(const struct ctl *);

/* Path of a file in a directory of the configuration; PATH_LEN_MAX. */
int ctl_path(char *path, const char *dir, const char *name);
/* The process id in run-dir/master.pid, or -1. */
long ctl_pid(const struct ctl *);

#endif
