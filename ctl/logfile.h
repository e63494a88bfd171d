/*
 * logfile: reading Postern's own log: lines of postern-log(5), in files that
 * may have syslog's or our own words in front.
 */
#ifndef CTL_LOGFILE_H
#define CTL_LOGFILE_H

#include "ctl/ctl.h"

enum { LOG_PAIRS_MAX = 32, LOG_FILES_MAX = 8 };

struct log_pair {
	struct span key, value; /* value without quotes, escapes as they are */
};

struct log_line {
	struct span whole, time; /* time: as it stands in front */
	struct span program;     /* "smtpd" */
	size_t n;
	struct log_pair pair[LOG_PAIRS_MAX];
};

/* false: not a line of ours (no ev= in it). Spans point into text. */
bool log_line_parse(struct span text, struct log_line *);
struct span log_line_get(const struct log_line *, const char *key);

/*
 * The files to read, oldest first: those given, or the log of the
 * configuration with its predecessor NAME.1. Exit status; told on error.
 */
int log_files(const struct ctl *, const char *const *given, size_t ngiven,
    char path[LOG_FILES_MAX][1024], size_t *n);

/*
 * Calls fn for each line of ours in a file ("-": standard input). Lines over
 * TEXT_LINE_MAX are left out. Exit status; told on error.
 */
int log_each(const char *path, void (*fn)(void *arg, const struct log_line *),
    void *arg);

#endif
