/*
 * story: what the callbacks of a conn tell, noted as text in one buffer, so
 * that a test compares the whole of it at once.
 */
#ifndef T_UNIT_STORY_H
#define T_UNIT_STORY_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/die.h"
#include "lib/tls.h"
#include "t/unit/turns.h"

static struct buf story = { .max = 1 << 20 };
static char story_error[128]; /* of the last close; "": none */

/* A conn at one end of a pair; *far is the other. The story begins anew. */
static inline struct conn *
story_begin(const struct conn_ops *ops, size_t line_max, size_t out_max,
    int *far)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		die("socketpair");
	buf_clear(&story);
	story_error[0] = '\0';
	*far = fd[1];
	return conn_new(fd[0], ops, NULL, line_max, out_max);
}

static inline void
story_line(struct span line)
{
	buf_str(&story, "[");
	buf_span(&story, line);
	buf_str(&story, "]");
}

static inline void
story_close(struct conn *c, enum conn_why why)
{
	static const char *const names[] = { "done", "eof", "error", "timeout",
		"tls", "overflow" };
	const char *error = "";

	if (why == CONN_TLS && conn_tls(c) != NULL)
		error = tls_error(conn_tls(c));
	else if (why == CONN_ERROR)
		error = strerror(conn_errno(c));
	snprintf(story_error, sizeof(story_error), "%s", error);
	buf_str(&story, "close:");
	buf_str(&story, names[why]);
}

/* Is this all that was told since the last time? */
static inline bool
told(const char *want)
{
	bool same = span_eq(buf_get(&story), span_str(want));

	if (!same)
		printf("# story: %.*s\n", SPAN_FMT(buf_get(&story)));
	buf_clear(&story);
	return same;
}

/* Until nothing is left to do at either end of a pair. */
static inline void
spin(void)
{
	turns(4, 0);
}

#endif
