/*
 * log: builds a line in one buffer and gathers whole lines in another, which
 * log_flush() writes with one call. A line is
 *
 *	2026-11-21T08:37:00.123Z host postern/smtpd[412]: ev=NAME key=value
 *
 * in files and on a terminal (for syslog: put_front()). "level=" follows ev at
 * all levels but info. A value is quoted and escaped: no byte of a
 * stranger can end a value, a line or a terminal's patience. Only numbers,
 * plain words given by our own code (log_str), and plain values of keys that
 * never hold a stranger's text stand bare. Before log_open() lines go to standard error.
 */
#include "lib/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/limits.h"
#include "lib/log_out.h"

enum {
	LOG_GATHER_MAX = 64 * 1024, /* then they are written, or if they cannot, */
	LOG_WAIT_MAX = 256 * 1024,  /* kept up to here, and dropped */
	PATIENCE_MS = 20,
	LAST_MS = 3000, /* at the end of a process */
	LAST_NAP_MS = 50,
};

/* Ends a line that had more keys than room; kept free for it. */
static const char cut_mark[] = " cut=1";

static struct {
	enum log_level level; /* lines above it are not made */
	bool syslog;
	bool opened;
	char name[32];
	char host[65];
	pid_t pid;
	struct buf line;
	struct buf gathered;
	bool stuck;             /* who reads them takes none */
	uint64_t dropped;       /* lines, of which nobody knows yet */
	bool making;            /* between log_begin and log_end */
	bool cut;               /* a key did not fit into line */
	enum log_level current; /* of the line being made */
	time_t second;          /* what stamp holds */
	char stamp[24];         /* "2026-11-21T08:37:00", "Nov 21 08:37:00" */
} l = { .level = LL_INFO,
	.line = { .max = LOG_LINE_MAX },
	.gathered = { .max = LOG_WAIT_MAX } };

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LL_ERROR] = { "error", LOG_ERR },
	[LL_WARN] = { "warn", LOG_WARNING },
	[LL_INFO] = { "info", LOG_INFO },
	[LL_DEBUG] = { "debug", LOG_DEBUG },
};

static void
at_exit(void)
{
	(void)log_fini();
}

void
log_open(const char *where, const char *name, enum log_level level)
{
	char *dot;

	log_flush();
	l.level = level;
	l.syslog = strcmp(where, "syslog") == 0;
	(void)span_copy(l.name, sizeof(l.name), span_str(name));
	l.pid = getpid();
	if (gethostname(l.host, sizeof(l.host) - 1) == -1)
		l.host[0] = '\0';
	if ((dot = strchr(l.host, '.')) != NULL)
		*dot = '\0';
	if (l.host[0] == '\0')
		(void)span_copy(l.host, sizeof(l.host), SPAN("localhost"));
	l.stamp[0] = '\0'; /* it may have another form now */
	tzset(); /* reads its file now, before the chroot */
	log_out_open(l.syslog);
	if (!l.opened)
		atexit(at_exit);
	l.opened = true;
}

void
log_level(enum log_level level)
{
	l.level = level;
}

bool
log_would(enum log_level level)
{
	return level <= l.level;
}

/*
 * RFC 3339 5.6; for the system logger as it ever was: RFC 3164 4.1, in local
 * time and without the host, which it adds itself. The clock is read without
 * a system call (vDSO).
 */
static void
put_front(struct buf *b)
{
	struct timespec now;
	struct tm tm;

	if (!l.opened) {
		buf_str(b, "postern: ");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != l.second || l.stamp[0] == '\0') {
		if (l.syslog)
			localtime_r(&now.tv_sec, &tm);
		else
			gmtime_r(&now.tv_sec, &tm);
		strftime(l.stamp, sizeof(l.stamp),
		    l.syslog ? "%b %e %H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &tm);
		l.second = now.tv_sec;
	}
	if (l.syslog) {
		buf_fmt(b, "<%d>%s postern/%s[%ld]: ",
		    LOG_MAIL | levels[l.current].priority, l.stamp, l.name,
		    (long)l.pid);
		return;
	}
	buf_fmt(b, "%s.%03dZ %s postern/%s[%ld]: ", l.stamp,
	    (int)(now.tv_nsec / 1000000), l.host, l.name, (long)l.pid);
}

void
log_begin(enum log_level level, const char *event)
{
	/* A line half made is forgotten: die() may come in the middle of it. */
	l.making = true;
	l.current = level;
	if (!log_would(level))
		return;
	buf_clear(&l.line);
	l.cut = false;
	put_front(&l.line);
	buf_str(&l.line, "ev=");
	buf_str(&l.line, event);
	if (level != LL_INFO)
		log_str("level", levels[level].name);
}

static bool
making(void)
{
	assert(l.making);
	return log_would(l.current);
}

/*
 * The escaped form of s, cut at LOG_VALUE_MAX. Kept: printable ASCII and
 * valid UTF-8 beyond the C1 controls; " and \ get a backslash; all other
 * bytes are \xNN.
 */
static void
put_quoted(struct buf *b, struct span s)
{
	size_t room = LOG_VALUE_MAX, n;
	uint32_t cp;

	buf_char(b, '"');
	while (s.n > 0) {
		if (room < 4) {
			buf_str(b, "...");
			break;
		}
		n = utf8_decode(s, &cp);
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f)) {
			buf_str(b, "\\x");
			buf_hex(b, (unsigned char)s.p[0], 2);
			room -= 4;
			n = 1;
		} else {
			if (cp == '"' || cp == '\\') {
				buf_char(b, '\\');
				room--;
			}
			buf_span(b, span_slice(s, 0, n));
			room -= n;
		}
		span_take(&s, n);
	}
	buf_char(b, '"');
}

static bool
is_plain(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!char_is(s.p[i], CH_ALNUM) &&
		    !span_has(SPAN("._-+:/"), s.p[i]))
			return false;
	return s.n > 0 && s.n <= 64;
}

/* A pair is in the line as a whole or not at all. */
static void
put_pair(const char *key, struct span value, bool bare)
{
	size_t before = l.line.n;

	buf_char(&l.line, ' ');
	buf_str(&l.line, key);
	buf_char(&l.line, '=');
	if (bare)
		buf_span(&l.line, value);
	else
		put_quoted(&l.line, value);
	if (l.line.bad || l.line.max - l.line.n < sizeof(cut_mark)) {
		l.line.bad = false;
		l.line.n = before;
		l.cut = true;
	}
}

void
log_str(const char *key, const char *value)
{
	if (value != NULL && making())
		put_pair(key, span_str(value), is_plain(span_str(value)));
}

void
log_span(const char *key, struct span value)
{
	static const char *const ours[] = { "sid", "qid", "client", "service",
		"enhanced" };
	bool bare = false;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		bare |= strcmp(key, ours[i]) == 0;
	if (making())
		put_pair(key, value, bare && is_plain(value));
}

void
log_num(const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, value);

	if (making())
		put_pair(key, span_of(text, (size_t)n), true);
}

void
log_int(const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	if (making())
		put_pair(key, span_of(text, (size_t)n), true);
}

void
log_err(int errnum)
{
	log_span("why", span_str(strerror(errnum)));
}

/* One wait for a reader who is slow; while he is stuck, none. */
static void
gathered_write(unsigned ms)
{
	size_t n = log_out_write(buf_get(&l.gathered), l.stuck ? 0 : ms);

	l.stuck = n < l.gathered.n;
	buf_drop(&l.gathered, n);
}

void
log_end(void)
{
	bool made = making();

	l.making = false;
	if (!made)
		return;
	if (l.cut)
		buf_str(&l.line, cut_mark);
	buf_char(&l.line, l.syslog ? '\0' : '\n');
	if (l.gathered.n + l.line.n > LOG_GATHER_MAX)
		gathered_write(PATIENCE_MS);
	if (l.line.n > l.gathered.max - l.gathered.n) {
		l.dropped++;
		return;
	}
	buf_span(&l.gathered, buf_get(&l.line));
	if (l.current == LL_ERROR || !l.opened)
		log_flush();
}

/* There is room again: the first line tells what is missing above it. */
static void
tell_dropped(void)
{
	uint64_t n = l.dropped;

	if (n == 0 || l.making || l.gathered.n > 0)
		return;
	l.dropped = 0;
	log_begin(LL_ERROR, "log");
	log_num("dropped", n);
	log_str("why", "lines could not be written");
	log_end();
}

void
log_flush(void)
{
	int saved = errno;

	if (l.gathered.n > 0)
		gathered_write(PATIENCE_MS);
	tell_dropped();
	errno = saved;
}

bool
log_waits(void)
{
	return l.gathered.n > 0;
}

void
log_forget(void)
{
	buf_clear(&l.gathered);
	l.dropped = 0;
	l.pid = getpid();
}

int
log_fini(void)
{
	const struct timespec nap = { .tv_nsec = LAST_NAP_MS * 1000000L };

	l.stuck = false;
	log_flush();
	for (int i = 0; log_waits() && i < LAST_MS / LAST_NAP_MS; i++) {
		(void)nanosleep(&nap, NULL);
		log_flush();
	}
	return log_waits() || l.dropped > 0 ? -1 : 0;
}

void
log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!log_would(level))
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	log_begin(level, event);
	log_span("why", span_str(text));
	log_end();
}
