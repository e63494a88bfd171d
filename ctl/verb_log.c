/*
 * verb_log: the end of the log, filtered by key=value.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/logfile.h"
#include "lib/die.h"

enum { LINES_DEFAULT = 20, LINES_MAX = 100000 };

struct tail {
	int nwant;
	char **want;       /* key=value, all must fit */
	char **ring;       /* the last lines, NULL until filled */
	size_t lines, next;
};

static bool
line_fits(const struct tail *t, const struct log_line *l)
{
	for (int i = 0; i < t->nwant; i++) {
		struct span value = span_str(t->want[i]);
		struct span key = span_cut(&value, '=');
		bool fits = false;

		for (size_t j = 0; j < l->n && !fits; j++)
			fits = span_eq(l->pair[j].key, key) &&
			    span_ieq(l->pair[j].value, value);
		if (!fits)
			return false;
	}
	return true;
}

static void
tail_line(void *arg, const struct log_line *l)
{
	struct tail *t = arg;
	char **slot;

	if (t->lines == 0 || !line_fits(t, l))
		return;
	slot = &t->ring[t->next++ % t->lines];
	free(*slot);
	*slot = span_dup(l->whole);
}

static void
tail_print(struct tail *t)
{
	for (size_t i = 0; i < t->lines; i++) {
		char **slot = &t->ring[(t->next + i) % t->lines];

		if (*slot != NULL)
			puts(*slot);
		free(*slot);
		*slot = NULL;
	}
}

static void
follow_line(void *arg, const struct log_line *l)
{
	if (line_fits(arg, l))
		printf("%.*s\n", SPAN_FMT(l->whole));
}

/* A rotated log is opened anew under its name. Ends with the terminal. */
static int
follow(const char *path, struct tail *t)
{
	struct stat now, open_st = { 0 };
	struct timespec nap = { .tv_nsec = 200 * 1000000 };
	FILE *f = fopen(path, "re");
	struct log_line l;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL || fstat(fileno(f), &open_st) == -1 ||
	    fseek(f, 0, SEEK_END) == -1)
		return ctl_fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	while (fflush(stdout) == 0) {
		while ((n = getline(&line, &cap, f)) > 0) {
			if (line[n - 1] == '\n')
				n--;
			if (log_line_parse(span_of(line, (size_t)n), &l))
				follow_line(t, &l);
		}
		clearerr(f);
		if (fflush(stdout) == EOF)
			break;
		(void)nanosleep(&nap, NULL);
		if (stat(path, &now) == 0 && now.st_ino != open_st.st_ino) {
			FILE *fresh = fopen(path, "re");

			if (fresh != NULL) {
				fclose(f);
				f = fresh;
				open_st = now;
			}
		}
	}
	free(line);
	fclose(f);
	return EX_IOERR;
}

int
verb_log(struct ctl *c, int argc, char **argv)
{
	char path[LOG_FILES_MAX][1024];
	const char *given[LOG_FILES_MAX];
	size_t nfiles = 0, ngiven = 0;
	struct tail t = { .lines = LINES_DEFAULT };
	bool stay = false;
	uint64_t n;
	int rc, i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-f") == 0) {
			stay = true;
		} else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
			if (span_num(span_str(argv[++i]), 0, LINES_MAX, &n) ==
			    -1)
				return ctl_usage("log -n: up to %d",
				    LINES_MAX);
			t.lines = n;
		} else if (strcmp(argv[i], "--file") == 0 && i + 1 < argc &&
		    ngiven < nitems(given)) {
			given[ngiven++] = argv[++i];
		} else {
			return ctl_usage("log: what is \"%s\"?", argv[i]);
		}
	}
	t.want = argv + i;
	t.nwant = argc - i;
	for (int j = 0; j < t.nwant; j++)
		if (strchr(t.want[j], '=') == NULL)
			return ctl_usage("log: what is \"%s\"? Write "
			    "key=value", t.want[j]);
	if ((rc = log_files(c, given, ngiven, path, &nfiles)) != EX_OK)
		return rc;
	t.ring = xcalloc(t.lines + 1, sizeof(*t.ring));
	for (size_t j = 0; j < nfiles && rc == EX_OK; j++)
		rc = log_each(path[j], tail_line, &t);
	if (rc == EX_OK)
		tail_print(&t);
	free(t.ring);
	if (rc == EX_OK && stay)
		rc = follow(path[nfiles - 1], &t);
	return rc;
}
