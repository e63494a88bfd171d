/*
 * logfile: reading Postern's own log.
 */
#include "ctl/logfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/chars.h"
#include "lib/limits.h"

/* Takes key=value or key="value" off *in. */
static bool
pair_next(struct span *in, struct log_pair *p)
{
	size_t i = 0;

	*in = span_trim(*in);
	while (i < in->n && (char_is(in->p[i], CH_ALNUM) || in->p[i] == '_' ||
	    in->p[i] == '-'))
		i++;
	if (i == 0 || i == in->n || in->p[i] != '=')
		return false;
	p->key = span_take(in, i);
	(void)span_take(in, 1);
	if (in->n == 0 || in->p[0] != '"') {
		p->value = span_word(in);
		return true;
	}
	(void)span_take(in, 1);
	for (i = 0; i < in->n && in->p[i] != '"'; i++)
		if (in->p[i] == '\\')
			i++;
	if (i >= in->n)
		return false;
	p->value = span_take(in, i);
	(void)span_take(in, 1);
	return true;
}

static bool
event_find(struct span text, size_t *at)
{
	for (size_t i = 0; i + 3 < text.n; i++)
		if (memcmp(text.p + i, "ev=", 3) == 0 &&
		    (i == 0 || text.p[i - 1] == ' ')) {
			*at = i;
			return true;
		}
	return false;
}

/* "2026-11-21T08:37:00.123Z host ..." or "Nov 21 08:37:00 host ...". */
static struct span
time_find(struct span head)
{
	struct span rest = head, word = span_word(&rest);

	if (word.n != 0 && char_is(word.p[0], CH_DIGIT))
		return word;
	(void)span_word(&rest);
	(void)span_word(&rest);
	return span_trim(span_slice(head, 0, head.n - rest.n));
}

bool
log_line_parse(struct span text, struct log_line *l)
{
	struct span head, rest;
	size_t at, slash;

	if (!event_find(text, &at))
		return false;
	head = span_slice(text, 0, at);
	rest = span_slice(text, at, text.n);
	*l = (struct log_line){ .whole = text, .time = time_find(head) };
	slash = span_rfind(head, '/');
	if (slash < head.n) {
		l->program = span_slice(head, slash + 1, head.n);
		l->program = span_cut(&l->program, '[');
	} else {
		l->program = SPAN_NONE;
	}
	while (l->n < LOG_PAIRS_MAX && pair_next(&rest, &l->pair[l->n]))
		l->n++;
	return l->n != 0;
}

struct span
log_line_get(const struct log_line *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(l->pair[i].key, span_str(key)))
			return l->pair[i].value;
	return SPAN_NONE;
}

static void
files_add(const char *path, const char *tail,
    char into[LOG_FILES_MAX][1024], size_t *n)
{
	int len;

	if (*n == LOG_FILES_MAX)
		return;
	len = snprintf(into[*n], sizeof(into[*n]), "%s%s", path, tail);
	if (len > 0 && (size_t)len < sizeof(into[*n]) &&
	    (access(into[*n], F_OK) == 0 || tail[0] == '\0'))
		(*n)++;
}

int
log_files(const struct ctl *c, const char *const *given, size_t ngiven,
    char path[LOG_FILES_MAX][1024], size_t *n)
{
	static const char *const syslogs[] = { "/var/log/mail.log",
		"/var/log/maillog", "/var/log/mail" };

	*n = 0;
	for (size_t i = 0; i < ngiven; i++)
		files_add(given[i], "", path, n);
	if (ngiven != 0)
		return EX_OK;
	if (c->conf->log[0] == '/') {
		files_add(c->conf->log, ".1", path, n);
		files_add(c->conf->log, "", path, n);
		return EX_OK;
	}
	for (size_t i = 0; i < nitems(syslogs) && *n == 0; i++) {
		if (access(syslogs[i], F_OK) == -1)
			continue;
		files_add(syslogs[i], ".1", path, n);
		files_add(syslogs[i], "", path, n);
	}
	if (*n == 0)
		return ctl_fail(EX_NOINPUT, "the log goes to %s, and there is "
		    "no /var/log/mail.log; type: journalctl -o short-iso | "
		    "postern ... --file -", c->conf->log);
	return EX_OK;
}

static FILE *input_copy; /* standard input, kept for further readings */

static FILE *
stdin_again(void)
{
	char part[65536];
	size_t n;

	if (input_copy == NULL && (input_copy = tmpfile()) != NULL)
		while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
			if (fwrite(part, 1, n, input_copy) != n)
				return NULL;
	if (input_copy != NULL)
		rewind(input_copy);
	return input_copy;
}

int
log_each(const char *path, void (*fn)(void *, const struct log_line *),
    void *arg)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin_again() : fopen(path, "re");
	struct log_line l;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL)
		return ctl_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	while ((n = getline(&line, &cap, f)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		if (n <= TEXT_LINE_MAX &&
		    log_line_parse(span_of(line, (size_t)n), &l))
			fn(arg, &l);
	}
	free(line);
	if (f != input_copy)
		fclose(f);
	return EX_OK;
}
