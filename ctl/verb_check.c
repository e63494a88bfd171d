/*
 * verb_check: finds what keeps mail from flowing, and says how to mend it.
 * Changes nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check.h"

static __attribute__((format(printf, 2, 0))) void
finding(const char *word, const char *fmt, va_list ap)
{
	printf("%-5s ", word);
	vprintf(fmt, ap);
	putchar('\n');
}

void
check_ok(struct check *k, const char *fmt, ...)
{
	va_list ap;

	if (k->quiet)
		return;
	va_start(ap, fmt);
	finding("ok", fmt, ap);
	va_end(ap);
}

void
check_odd(struct check *k, const char *fmt, ...)
{
	va_list ap;

	k->odd++;
	if (k->quiet)
		return;
	va_start(ap, fmt);
	finding("note", fmt, ap);
	va_end(ap);
}

void
check_bad(struct check *k, const char *fmt, ...)
{
	va_list ap;

	k->bad++;
	va_start(ap, fmt);
	finding("BAD", fmt, ap);
	va_end(ap);
}

/* What belongs to root looks wrong to everybody else. */
static bool
is_theirs(const struct conf *c)
{
	struct stat st;

	return geteuid() != 0 && stat(c->run_dir, &st) == 0 &&
	    st.st_uid != geteuid();
}

int
verb_check(struct ctl *c, int argc, char **argv)
{
	static void (*const parts[])(struct check *) = { check_names,
		check_accounts, check_programs, check_places, check_log,
		check_maps, check_tls, check_ports, check_watches, check_dns,
		check_queue, check_aliases, check_mail, check_mailboxes };
	struct check k = { .ctl = c };
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") != 0)
			return ctl_usage("check: what is \"%s\"?", argv[i]);
		k.quiet = true;
	}
	if ((rc = ctl_conf(c)) != EX_OK)
		return rc;
	if (is_theirs(c->conf))
		return ctl_fail(EX_NOPERM, "only root and the owner of %s can "
		    "look at all of it; try sudo or doas", c->conf->run_dir);
	k.conf = c->conf;
	k.running = talk_is_up(c);
	check_ok(&k, "configuration %s", c->conf_path);
	for (size_t i = 0; i < nitems(parts); i++)
		parts[i](&k);
	if (k.running)
		check_ok(&k, "Postern is running");
	else
		check_odd(&k, "Postern is not running: postern start");
	if (!k.quiet || k.bad != 0)
		printf("%u bad, %u worth a note\n", k.bad, k.odd);
	return k.bad == 0 ? EX_OK : EX_CONFIG;
}
