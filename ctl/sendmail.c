/*
 * sendmail: the interface that programs have known since 1983, without its
 * powers. Options that mean nothing here are taken and ignored, as Postfix
 * and qmail do.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/message.h"
#include "ctl/submit.h"
#include "lib/addr.h"
#include "lib/die.h"
#include "lib/limits.h"

struct options {
	char mode;          /* of -b; 'm' hands in a message */
	bool ignore_dots, from_header, verbose;
	const char *sender; /* NULL: the caller */
	const char *name;   /* for From */
};

struct job {
	struct ctl *ctl;
	struct submit submit;
	int rc; /* the first recipient that is no address */
};

/* An address as typed or found, to canonical form. NULL: it is none. */
static char *
address_canon(const struct conf *c, struct span text)
{
	struct span in = span_trim(text);
	struct buf out;
	struct addr a;
	char *canon = NULL;

	buf_init(&out, SMTP_PATH_MAX);
	if (addr_parse(&in, ADDR_NODOMAIN_OK | ADDR_NULL_OK, &out, &a) == 0 &&
	    in.n == 0) {
		if (a.text.n != 0 && a.domain.n == 0) {
			buf_char(&out, '@');
			buf_str(&out, c->default_domain);
		}
		if (!out.bad)
			canon = span_dup(buf_get(&out));
	}
	buf_fini(&out);
	return canon;
}

static void
rcpt_add(void *arg, struct span text)
{
	struct job *j = arg;
	struct conf_list *l = &j->submit.rcpt;
	char *a = address_canon(j->ctl->conf, text);

	if (a == NULL || a[0] == '\0') {
		free(a);
		if (j->rc == EX_OK)
			j->rc = ctl_fail(EX_DATAERR, "\"%.*s\" is no address",
			    (int)(text.n > 256 ? 256 : text.n), text.p);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->word[i], a) == 0) {
			free(a);
			return;
		}
	if (l->n == j->ctl->conf->recipients_max && j->rc == EX_OK)
		j->rc = ctl_fail(EX_DATAERR, "more than %zu recipients", l->n);
	l->word = xreallocarray(l->word, l->n + 1, sizeof(*l->word));
	l->word[l->n++] = a;
}

/* The caller, as the kernel knows it. */
static char *
sender_default(const struct conf *c)
{
	const struct passwd *pw = getpwuid(getuid());
	struct buf text;
	char *canon;

	buf_init(&text, SMTP_PATH_MAX);
	if (pw != NULL)
		buf_str(&text, pw->pw_name);
	else
		buf_fmt(&text, "uid%lu", (unsigned long)getuid());
	canon = address_canon(c, buf_get(&text));
	buf_fini(&text);
	return canon;
}

/* GECOS: up to the first comma; "&" is the login name, which we leave. */
static char *
name_default(void)
{
	const struct passwd *pw = getpwuid(getuid());
	struct span all;

	if (pw == NULL || pw->pw_gecos == NULL)
		return NULL;
	all = span_str(pw->pw_gecos);
	return span_dup(span_cut(&all, ','));
}

static int
message_send(struct ctl *c, const struct options *o, int argc, char **argv)
{
	struct message m;
	struct job j = { .ctl = c, .submit = { .verbose = o->verbose } };
	char *sender, *name = NULL;
	struct message_options mo = { .from_header = o->from_header,
		.host = c->conf->hostname };
	int rc;

	sender = o->sender == NULL ? sender_default(c->conf)
	    : o->sender[0] == '\0' ? xstrdup("")
				   : address_canon(c->conf,
					 span_str(o->sender));
	rc = message_read(&m, c->conf->message_size, !o->ignore_dots);
	if (rc == EX_OK && sender == NULL)
		rc = ctl_fail(EX_USAGE, "-f %s: no address",
		    o->sender == NULL ? "" : o->sender);
	for (int i = 0; rc == EX_OK && i < argc; i++)
		message_addresses(span_str(argv[i]), rcpt_add, &j);
	if (rc == EX_OK) {
		if (o->name == NULL && o->sender == NULL)
			name = name_default();
		mo.sender = sender;
		mo.name = o->name != NULL ? o->name : name;
		message_build(&m, &mo, rcpt_add, &j);
		rc = j.rc;
	}
	if (rc == EX_OK && j.submit.rcpt.n == 0)
		rc = ctl_fail(EX_DATAERR, "no recipient; name one, or use -t "
		    "and a To field");
	if (rc == EX_OK && m.text.bad)
		rc = ctl_fail(EX_DATAERR, "the message is too large");
	if (rc == EX_OK) {
		j.submit.sender = span_str(sender);
		j.submit.text = buf_get(&m.text);
		rc = submit_send(c, &j.submit);
	}
	message_fini(&m);
	for (size_t i = 0; i < j.submit.rcpt.n; i++)
		free(j.submit.rcpt.word[i]);
	free(j.submit.rcpt.word);
	free(sender);
	free(name);
	return rc;
}

static int
usage(void)
{
	fputs("usage: sendmail [-itv] [-f SENDER] [-F NAME] [RECIPIENT]...\n"
	      "       sendmail -bp | -bi | -bs | -q\n", stderr);
	return EX_USAGE;
}

static int
options_read(struct ctl *c, int argc, char **argv, struct options *o)
{
	int opt;

	while ((opt = getopt(argc, argv,
		    "A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:stvx")) !=
	    -1) {
		switch (opt) {
		case 'C':
			c->conf_path = optarg;
			break;
		case 'F':
			o->name = optarg;
			break;
		case 'f':
		case 'r':
			o->sender = strcmp(optarg, "<>") == 0 ? "" : optarg;
			break;
		case 'b':
			o->mode = optarg[0];
			break;
		case 'I':
			o->mode = 'i';
			break;
		case 'q':
			o->mode = 'q';
			break;
		case 'i':
			o->ignore_dots = true;
			break;
		case 'o':
			o->ignore_dots |= strcmp(optarg, "i") == 0;
			break;
		case 't':
			o->from_header = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case '?':
			return usage();
		default: /* delivery modes, DSN, tracing: nothing to do */
			break;
		}
	}
	return EX_OK;
}

int
sendmail_main(struct ctl *c, int argc, char **argv)
{
	static char list[] = "list", flush[] = "flush", map[] = "map",
	    aliases[] = "aliases";
	char *as_list[] = { list, NULL }, *as_flush[] = { flush, NULL },
	     *as_map[] = { map, aliases, NULL };
	struct options o = { .mode = 'm' };
	int rc = options_read(c, argc, argv, &o);

	if (rc != EX_OK || (rc = ctl_conf(c)) != EX_OK)
		return rc;
	switch (o.mode) {
	case 'm':
		rc = message_send(c, &o, argc - optind, argv + optind);
		break;
	case 'p':
		rc = talk(c, ROLE_QUEUE, 1, as_list, NULL, false);
		break;
	case 'q':
		rc = talk(c, ROLE_QUEUE, 1, as_flush, NULL, false);
		break;
	case 'i':
		rc = verb_map(c, 2, as_map);
		break;
	case 's':
		rc = submit_pipe(c);
		break;
	default: /* -bd, -bt, -bv, -bh: a daemon's, or an oracle's */
		rc = usage();
		break;
	}
	if (fflush(stdout) == EOF && rc == EX_OK)
		rc = EX_IOERR;
	conf_free(c->conf);
	return rc;
}
