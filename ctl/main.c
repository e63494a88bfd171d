/*
 * postern: what people type. One program; called as sendmail, mailq or
 * newaliases it is those.
 *
 * runs as    whoever typed it; no set-id bits, ever
 * holds      what that user may open; sockets in run-dir, if they are theirs
 * never      gives a user's bytes to a shell; parses mail (sendmail only
 *            looks for header names)
 * if owned   the attacker has what the user already had
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/ipc_ctl.h"
#include "lib/limits.h"
#include "lib/log.h"

#ifndef POSTERN_VERSION
#define POSTERN_VERSION "unknown"
#endif

struct verb {
	const char *name;
	verb_fn *fn;
	bool conf; /* is read before */
	const char *args;
	const char *what;
	const char *help; /* more lines for --help, or "" */
};

#define HELP_WHAT \
	"  WHAT  a queue id, an address, a domain, or one of\n" \
	"        sender=ADDRESS recipient=ADDRESS destination=DOMAIN\n"

#define HELP_WHOM "  WHOM  a login name, a session id or a client's address\n"

/* clang-format off */
static const struct verb verbs[] = {
	{ "start", verb_start, true, "[-f]", "start the mail system",
	    "  -f  stay in the foreground\n" },
	{ "stop", verb_stop, true, "", "stop it; waits until all is gone", "" },
	{ "reload", verb_reload, true, "",
	    "take a changed configuration; no session is dropped", "" },
	{ "status", verb_status, true, "[--json] [--processes]",
	    "what runs, what waits",
	    "  Exit status 69 if it does not run.\n" },
	{ "who", verb_who, true, "[--json] [WHOM]...",
	    "who reads mail: sessions, the youngest first", HELP_WHOM
	    "  --json  one object a line\n" },
	{ "kick", verb_kick, true, "WHOM...", "end sessions", HELP_WHOM },
	{ "check", verb_check, false, "[--quiet]",
	    "find what keeps mail from flowing",
	    "  --quiet  only what is wrong\n"
	    "  Exit status 78 if something is.\n" },
	{ "config", verb_config, false, "[KEY | --changed | --keys [--json]]",
	    "the settings in effect",
	    "  KEY        the value of one key\n"
	    "  --changed  those that differ from the default\n"
	    "  --keys     all keys: type, default, bounds, meaning\n" },
	{ "map", verb_map, true, "[users | aliases | transport | tls-policy | relay-passwords]...",
	    "compile maps; running daemons take them at once", "" },
	{ "user", verb_user, true,
	    "add|passwd|delete|list [NAME [HASH-OPTION] [key=value]...]",
	    "accounts in the users file",
	    "  add NAME [--no-login | --hash HASH] [uid=N gid=N] [mail=DIR]\n"
	    "           [system=ACCOUNT]\n"
	    "  passwd NAME [--no-login | --hash HASH]\n"
	    "  delete NAME   the mailbox stays\n"
	    "  list\n"
	    "  The password is asked for, or is the first line of standard\n"
	    "  input; never an argument, which everybody could see.\n" },
	{ "queue", verb_queue, true,
	    "[list|show|count|destinations|ages|flush|hold|release|remove]\n"
	    "       [--json] [--senders] [WHAT]...",
	    "mail that waits", HELP_WHAT
	    "  destinations: for each next hop, how much waits for it, and why\n"
	    "  ages: how long it waits, by recipients' domains, or --senders'\n"
	    "  --json  one object a line\n" },
	{ "flush", verb_queue_do, true, "[WHAT]...", "try again now",
	    HELP_WHAT "  Nothing named: all.\n" },
	{ "retry", verb_queue_do, true, "[WHAT]...", "the same as flush",
	    HELP_WHAT },
	{ "hold", verb_queue_do, true, "WHAT...", "keep messages back",
	    HELP_WHAT },
	{ "release", verb_queue_do, true, "WHAT...", "let them go",
	    HELP_WHAT },
	{ "remove", verb_queue_do, true, "WHAT...",
	    "delete messages from the queue; nobody is told", HELP_WHAT },
	{ "trace", verb_trace, true, "[--file LOG]... ADDRESS | ID",
	    "the story of a message",
	    "  ADDRESS   a sender, a recipient or a login\n"
	    "  ID        a queue id or a session id\n"
	    "  --file    read this log; - is standard input\n" },
	{ "log", verb_log, true, "[-f] [-n LINES] [--file LOG] [KEY=VALUE]...",
	    "the end of the log",
	    "  -f         and what comes\n"
	    "  -n LINES   so many; 20\n"
	    "  KEY=VALUE  only lines with all of these: ev=deferred\n" },
	{ "topology", verb_topology, true, "",
	    "the table of processes: user, root, peers", "" },
	{ "version", verb_version, false, "", "print the version", "" },
};
/* clang-format on */

static const struct verb *running;
static const char *called = "postern";

static void
verb_usage(const struct verb *v, FILE *to)
{
	fprintf(to, "usage: postern [-c CONF] %s%s%s\n", v->name,
	    v->args[0] != '\0' ? " " : "", v->args);
}

static int
usage_all(FILE *to)
{
	fputs("usage: postern [-c CONF] VERB [ARGUMENT]...\n\n", to);
	for (size_t i = 0; i < nitems(verbs); i++)
		fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].what);
	fputs("\npostern VERB --help tells more; so does postern(8).\n", to);
	return to == stdout ? EX_OK : EX_USAGE;
}

static __attribute__((format(printf, 1, 0))) void
fail_print(const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", called);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
ctl_fail(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_print(fmt, ap);
	va_end(ap);
	return code;
}

int
ctl_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_print(fmt, ap);
	va_end(ap);
	if (running != NULL)
		verb_usage(running, stderr);
	return EX_USAGE;
}

int
ctl_conf(struct ctl *c)
{
	struct buf err;

	buf_init(&err, 1024 * 1024);
	c->conf = conf_read(c->conf_path, &err);
	if (err.n != 0)
		fwrite(err.p, 1, err.n, stderr);
	buf_fini(&err);
	return c->conf == NULL ? EX_CONFIG : EX_OK;
}

int
ctl_print(const struct buf *b)
{
	if (fwrite(b->p, 1, b->n, stdout) != b->n)
		return EX_IOERR;
	return EX_OK;
}

int
ctl_path(char *path, const char *dir, const char *name)
{
	int n = snprintf(path, PATH_LEN_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_LEN_MAX ? -1 : 0;
}

long
ctl_pid(const struct ctl *c)
{
	char path[PATH_LEN_MAX], text[32];
	uint64_t pid;
	FILE *f;
	long rc = -1;

	if (ctl_path(path, c->conf->run_dir, "master.pid") == -1 ||
	    (f = fopen(path, "re")) == NULL)
		return -1;
	if (fgets(text, sizeof(text), f) != NULL &&
	    span_num(span_trim(span_slice(span_str(text), 0,
	    span_find(span_str(text), '\n'))), 2, 1 << 30, &pid) == 0)
		rc = (long)pid;
	fclose(f);
	return rc;
}

int
verb_version(struct ctl *c, int argc, char **argv)
{
	(void)c;
	(void)argc;
	(void)argv;
	puts("postern " POSTERN_VERSION);
	return EX_OK;
}

static const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < nitems(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static bool
asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
verb_run(struct ctl *c, const char *name, int argc, char **argv)
{
	const struct verb *v = verb_find(name);
	int rc = EX_OK;

	if (v == NULL)
		return ctl_fail(EX_USAGE, "there is no verb \"%s\"; postern "
		    "--help lists them", name);
	running = v;
	if (asks_help(argc, argv)) {
		verb_usage(v, stdout);
		printf("  %s\n%s", v->what, v->help);
	} else {
		if (v->conf)
			rc = ctl_conf(c);
		if (rc == EX_OK)
			rc = v->fn(c, argc, argv);
	}
	if (fflush(stdout) == EOF && rc == EX_OK)
		rc = ctl_fail(EX_IOERR, "standard output: %s",
		    strerror(errno));
	conf_free(c->conf);
	return rc;
}

/* Not by name only: the link may be called sendmail.postern. */
static const char *
other_name(const char *argv0)
{
	static const char *const names[] = { "sendmail", "mailq",
		"newaliases" };
	const char *base = strrchr(argv0, '/');

	base = base == NULL ? argv0 : base + 1;
	for (size_t i = 0; i < nitems(names); i++)
		if (strncmp(base, names[i], strlen(names[i])) == 0)
			return names[i];
	return NULL;
}

/* mailq and newaliases take sendmail's options, as ever. */
static int
other_main(struct ctl *c, const char *name, int argc, char **argv)
{
	static char list[] = "-bp", init[] = "-bi";
	char *args[CTL_ARGS_MAX + 2];
	int n = 0;

	if (strcmp(name, "sendmail") == 0)
		return sendmail_main(c, argc, argv);
	if (asks_help(argc, argv) || argc > CTL_ARGS_MAX) {
		printf("usage: %s [-C CONF]\n", name);
		return EX_OK;
	}
	args[n++] = argv[0];
	args[n++] = strcmp(name, "mailq") == 0 ? list : init;
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	return sendmail_main(c, n, args);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .conf_path = conf_default_path };
	const char *name;
	int i = 1;

	log_open("stderr", "postern", LL_ERROR); /* die() in lib */
	if (argc < 1)
		return EX_USAGE;
	if ((name = other_name(argv[0])) != NULL)
		called = name;
	if (name != NULL)
		return other_main(&c, name, argc, argv);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			c.conf_path = argv[++i];
		else if (strncmp(argv[i], "-c", 2) == 0 && argv[i][2] != '\0')
			c.conf_path = argv[i] + 2;
		else if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return usage_all(stdout);
		else if (strcmp(argv[i], "--version") == 0 ||
		    strcmp(argv[i], "-V") == 0)
			return verb_version(&c, 0, NULL);
		else
			return usage_all(stderr);
	}
	if (i == argc)
		return usage_all(stderr);
	if (strcmp(argv[i], "help") == 0)
		return usage_all(stdout);
	return verb_run(&c, argv[i], argc - i, argv + i);
}
