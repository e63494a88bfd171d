/*
 * log: what stands in a line, read back from a pipe in place of standard
 * error; that nothing of a stranger ends a value or a line; when it is
 * written.
 */
#include "lib/log.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/die.h"
#include "lib/limits.h"
#include "t/unit/tap.h"

static int out; /* read end of what is fd 2 now */
static char text[256 * 1024];

/* All that was written since the last call. */
static struct span
written(void)
{
	ssize_t n = read(out, text, sizeof(text));

	return n <= 0 ? SPAN_NONE : span_of(text, (size_t)n);
}

/* Behind the time, the host and the program. */
static struct span
after_front(struct span line)
{
	size_t i;

	for (i = 0; i + 2 < line.n; i++)
		if (memcmp(line.p + i, "]: ", 3) == 0)
			return span_slice(line, i + 3, line.n);
	return line;
}

static const struct value_case {
	const char *name;
	const char *key;
	struct span value;
	const char *line;
} values[] = {
	{ "a value is quoted", "to", { "ann@x.org", 9 },
	    "ev=e to=\"ann@x.org\"\n" },
	{ "an id is not", "sid", { "8Kq2M", 5 }, "ev=e sid=8Kq2M\n" },
	{ "an id of a stranger's bytes is", "qid", { "a b", 3 },
	    "ev=e qid=\"a b\"\n" },
	{ "empty", "to", { "", 0 }, "ev=e to=\"\"\n" },
	{ "quotes and backslashes", "to", { "a\"b\\c", 5 },
	    "ev=e to=\"a\\\"b\\\\c\"\n" },
	{ "line ends", "to", { "a\r\nev=x", 7 },
	    "ev=e to=\"a\\x0d\\x0aev=x\"\n" },
	{ "NUL", "to", { "a\0b", 3 }, "ev=e to=\"a\\x00b\"\n" },
	{ "escape", "to", { "\033[2J", 4 }, "ev=e to=\"\\x1b[2J\"\n" },
	{ "UTF-8 stays", "to", { "\303\244", 2 }, "ev=e to=\"\303\244\"\n" },
	{ "what is not UTF-8 goes", "to", { "\303", 1 },
	    "ev=e to=\"\\xc3\"\n" },
	{ "C1 controls go", "to", { "\302\205", 2 },
	    "ev=e to=\"\\xc2\\x85\"\n" },
	{ "a percent is a byte", "to", { "%n%s", 4 }, "ev=e to=\"%n%s\"\n" },
};

static void
test_values(void)
{
	const struct value_case *c;
	struct span got;

	for (c = values; c < values + nitems(values); c++) {
		log_begin(LL_INFO, "e");
		log_span(c->key, c->value);
		log_end();
		log_flush();
		got = after_front(written());
		if (!ok(span_eq(got, span_str(c->line)), c->name))
			printf("# %.*s", SPAN_FMT(got));
	}
}

static void
test_line(void)
{
	struct span got;

	log_begin(LL_WARN, "rcpt");
	log_str("sid", "a1");
	log_str("none", NULL);
	log_num("code", 18446744073709551615u);
	log_int("d", -5);
	log_str("text", "two words");
	log_err(ENOENT);
	log_end();
	log_flush();
	got = written();
	ok(got.n > 24 && got.p[4] == '-' && got.p[10] == 'T' &&
	        got.p[19] == '.' && got.p[23] == 'Z' && got.p[24] == ' ',
	    "time with milliseconds, RFC 3339");
	ok(span_eq(after_front(got),
	       SPAN("ev=rcpt level=warn sid=a1 code=18446744073709551615 "
	            "d=-5 text=\"two words\" "
	            "why=\"No such file or directory\"\n")), "all kinds");
	log_msg(LL_INFO, "start", "%d of %s", 3, "a\nb");
	log_flush();
	ok(span_eq(after_front(written()),
	       SPAN("ev=start why=\"3 of a\\x0ab\"\n")), "a sentence");
}

static void
test_levels(void)
{
	log_level(LL_INFO);
	log_begin(LL_DEBUG, "e");
	log_str("a", "b");
	log_end();
	log_msg(LL_DEBUG, "e", "x");
	log_flush();
	ok(written().n == 0, "debug is off");
	ok(!log_would(LL_DEBUG) && log_would(LL_INFO), "and says so");
	log_level(LL_DEBUG);
	log_msg(LL_DEBUG, "e", "x");
	log_flush();
	ok(span_eq(after_front(written()),
	       SPAN("ev=e level=debug why=\"x\"\n")), "until asked for");
	log_level(LL_INFO);
}

static void
test_writing(void)
{
	struct span got;
	size_t lines = 0, i, total;

	log_msg(LL_INFO, "a", "x");
	log_msg(LL_INFO, "b", "x");
	ok(written().n == 0, "lines are gathered");
	log_msg(LL_ERROR, "c", "x");
	got = written();
	for (i = 0; i < got.n; i++)
		lines += got.p[i] == '\n';
	ok(lines == 3, "an error takes them along at once");
	for (total = 0, i = 0; i < 2000; i++) {
		log_msg(LL_INFO, "e", "0123456789");
		total += written().n;
	}
	log_flush();
	total += written().n;
	ok(total > 2000 * 20 && total % 2000 == 0,
	    "many are written before the next fits no more; none is lost");
}

static void
test_limits(void)
{
	static char big[LOG_LINE_MAX];
	struct span got;
	int i;

	memset(big, '\n', sizeof(big));
	log_begin(LL_INFO, "e");
	log_span("a", span_of(big, sizeof(big)));
	log_str("z", "end");
	log_end();
	log_flush();
	got = after_front(written());
	ok(got.n < LOG_VALUE_MAX + 32 && span_ends(got, SPAN("...\" z=end\n")),
	    "a long value is cut, and the line goes on");
	log_begin(LL_INFO, "e");
	for (i = 0; i < 20; i++)
		log_span("a", span_of(big, sizeof(big)));
	log_end();
	log_flush();
	got = after_front(written());
	ok(got.n <= LOG_LINE_MAX && span_ends(got, SPAN("...\" cut=1\n")),
	    "a line too long ends after a whole pair, and says so");
}

static size_t
lines_in(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* Who reads it has stopped: nobody waits, and what is lost is counted. */
static void
test_stuck(void)
{
	enum { MANY = 60000 };
	static const char mark[] = "ev=log level=error dropped=";
	static char all[2 * 1024 * 1024]; /* a line may come in two pieces */
	uint64_t dropped = 0;
	size_t n = 0, notices = 0, at;
	struct span some;

	/* Then its room is no multiple of what is written at once. */
	log_msg(LL_INFO, "e", "first");
	log_flush();
	for (int i = 1; i < MANY; i++)
		log_msg(LL_INFO, "e", "0123456789");
	log_flush();
	ok(log_waits(), "lines wait for a reader");
	while ((some = written()).n > 0 && n + some.n <= sizeof(all)) {
		memcpy(all + n, some.p, some.n);
		n += some.n;
		log_flush();
	}
	for (at = 0; at + sizeof(mark) < n; at++)
		if (memcmp(all + at, mark, sizeof(mark) - 1) == 0) {
			some = span_of(all, n);
			some = span_slice(some, at + sizeof(mark) - 1, n);
			(void)span_num(
			    span_cut(&some, ' '), 1, MANY, &dropped);
			notices++;
		}
	ok(!log_waits() && notices == 1, "it reads again, and is told");
	ok(lines_in(span_of(all, n)) - notices + dropped == MANY,
	    "each line came, or was counted");
}

/* A packet a line; while there is no logger the lines wait for another. */
static void
test_logger(void)
{
	int pair[2], saved = dup(STDERR_FILENO);
	struct span got;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == -1 ||
	    saved == -1)
		return;
	dup2(pair[1], STDERR_FILENO);
	log_open("syslog", "test", LL_INFO);
	log_msg(LL_INFO, "a", "x");
	log_msg(LL_WARN, "b", "y");
	log_flush();
	n = read(pair[0], text, sizeof(text));
	got = span_of(text, n < 0 ? 0 : (size_t)n);
	ok(span_starts(got, SPAN("<22>")) && span_has(got, '[') &&
	        span_eq(after_front(got), SPAN("ev=a why=\"x\"")),
	    "a packet with its priority");
	n = read(pair[0], text, sizeof(text));
	got = span_of(text, n < 0 ? 0 : (size_t)n);
	ok(span_starts(got, SPAN("<20>")) && span_eq(after_front(got),
	       SPAN("ev=b level=warn why=\"y\"")), "a packet a line");
	close(pair[0]);
	log_msg(LL_INFO, "c", "z");
	log_flush();
	ok(log_waits(), "the logger is gone: the line waits");
	close(pair[1]);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == -1)
		return;
	dup2(pair[1], STDERR_FILENO);
	log_flush();
	n = read(pair[0], text, sizeof(text));
	ok(n > 0 && !log_waits(), "the next one gets it");
	dup2(saved, STDERR_FILENO);
	log_open("stderr", "test", LL_INFO);
	close(pair[0]);
	close(pair[1]);
	close(saved);
}

/* What could not be written before a fork is not written twice. */
static void
test_fork(void)
{
	int status = 0, saved = dup(STDERR_FILENO);
	struct span got;
	pid_t pid;

	close(STDERR_FILENO);
	log_msg(LL_INFO, "parent", "x");
	log_flush();
	if (saved != -1)
		dup2(saved, STDERR_FILENO);
	close(saved);
	if ((pid = fork()) == 0) {
		log_forget();
		_exit(log_waits() || log_fini() == -1);
	}
	waitpid(pid, &status, 0);
	ok(status == 0 && written().n == 0, "a child forgets what is kept");
	ok(log_fini() == 0, "its parent does not");
	got = after_front(written());
	ok(span_eq(got, SPAN("ev=parent why=\"x\"\n")), "and writes it");
}

static void
test_die(void)
{
	struct span got;
	int status = 0, saved = 0, fd;
	pid_t pid = fork();

	if (pid == 0) {
		errno = ENOMEM;
		die("no memory for %s", "x\ny");
	}
	waitpid(pid, &status, 0);
	got = after_front(written());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == EX_SOFTWARE,
	    "die ends the process");
	ok(span_eq(got, SPAN("ev=die level=error why=\"no memory for x\\x0ay: "
	                     "Cannot allocate memory\"\n")), "and says why");
	fd = dup(STDIN_FILENO);
	errno = EINTR;
	fd_close(&fd);
	saved = errno;
	ok(fd == -1 && saved == EINTR, "fd_close resets and keeps errno");
	fd_close(&fd);
	ok(fd == -1, "and takes -1");
}

int
main(void)
{
	int p[2];

	if (pipe(p) == -1)
		return 1;
	out = p[0];
	fcntl(out, F_SETFL, O_NONBLOCK);
#ifdef F_SETPIPE_SZ
	fcntl(out, F_SETPIPE_SZ, 1 << 20);
#endif
	dup2(p[1], STDERR_FILENO);
	close(p[1]);
	log_open("stderr", "test", LL_INFO);
	test_values();
	test_line();
	test_levels();
	test_writing();
	test_limits();
	test_stuck();
	test_logger();
	test_fork();
	test_die();
	return done();
}
