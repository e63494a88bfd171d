/* net: the same lines however they come, and no wait without an end. */
#include "lib/net.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "t/unit/tap.h"

enum { LINE = 16, IDLE_MS = 50 };

static struct net net;
static int far;

static void
begin(struct span initial)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		die("socketpair");
	far = fd[1];
	net_init(&net, fd[0], LINE, IDLE_MS, initial);
}

static void
finish(void)
{
	net_fini(&net);
	fd_close(&far);
}

static void
say(struct span s)
{
	if (s.n > 0 && write(far, s.p, s.n) != (ssize_t)s.n)
		die("write");
}

/* Lines until the end, as one text. */
static bool
gives(const char *want)
{
	static const char *const names[] = { "", "toolong ", "eof", "timeout",
		"stop" };
	struct buf story = { .max = 4096 };
	enum net_got got;
	struct span line;
	bool same;

	do {
		got = net_line(&net, &line);
		if (got == NET_LINE) {
			buf_str(&story, "[");
			buf_span(&story, line);
			buf_str(&story, "]");
		} else {
			buf_str(&story, names[got]);
		}
	} while (got == NET_LINE || got == NET_TOOLONG);
	same = span_eq(buf_get(&story), span_str(want));
	if (!same)
		printf("# %.*s\n", SPAN_FMT(buf_get(&story)));
	buf_fini(&story);
	return same;
}

static const struct {
	const char *name;
	struct span in;
	const char *story;
} cases[] = {
	{ "lines with CR LF and LF", SPAN("one\r\ntwo\n\r\n"),
	    "[one][two][]eof" },
	{ "a last line without an end is none", SPAN("one\r\ntwo"),
	    "[one]eof" },
	{ "the longest line", SPAN("12345678901234\r\nx\r\n"),
	    "[12345678901234][x]eof" },
	{ "one byte too long", SPAN("123456789012345\r\nx\r\n"),
	    "toolong [x]eof" },
	{ "far too long", SPAN("12345678901234567890123456789012345\nx\n"),
	    "toolong [x]eof" },
};

static void
lines(void)
{
	size_t i, k;
	bool good;

	for (i = 0; i < nitems(cases); i++) {
		good = true;
		for (k = 0; k <= cases[i].in.n; k++) {
			begin(span_slice(cases[i].in, 0, k));
			say(span_slice(cases[i].in, k, SIZE_MAX));
			shutdown(far, SHUT_WR);
			good = gives(cases[i].story) && good;
			finish();
		}
		ok(good, cases[i].name);
	}
}

static void
timeouts(void)
{
	begin(SPAN_NONE);
	say(SPAN("one\r\ntw"));
	ok(gives("[one]timeout"), "a line that does not end in time");
	finish();
	begin(SPAN_NONE);
	while (send(net.fd, "0123456789abcdef", 16, MSG_DONTWAIT) > 0)
		;
	(void)net_write(&net, SPAN("never read"));
	ok(net_flush(&net) == -1, "a client that does not read in time");
	finish();
}

static void
output(void)
{
	char got[64];
	struct span line;

	begin(SPAN("x\r\n"));
	(void)net_write(&net, SPAN("one "));
	(void)net_write(&net, SPAN("two"));
	(void)net_line(&net, &line);
	ok(read(far, got, sizeof(got)) == -1, "output is gathered");
	(void)net_line(&net, &line);
	ok(read(far, got, sizeof(got)) == 7, "and sent before a wait");
	fd_close(&far);
	(void)net_write(&net, SPAN("x"));
	ok(net_flush(&net) == -1, "a client that left is an error, no signal");
	ok(net_line(&net, &line) == NET_EOF, "and the end at the next line");
	finish();
}

static void
large_output(void)
{
	static char large[300 * 1024];
	char got[4096];
	struct pollfd p = { .events = POLLIN };
	size_t total = 0;
	ssize_t n;
	pid_t pid;

	begin(SPAN_NONE);
	p.fd = far;
	pid = fork();
	if (pid == 0) {
		(void)net_write(&net, SPAN("first "));
		(void)net_write(&net, span_of(large, sizeof(large)));
		(void)net_write(&net, SPAN(" last"));
		_exit(net_flush(&net) == 0 ? 0 : 1);
	}
	fd_close(&net.fd);
	while (poll(&p, 1, -1) == 1 && (n = read(far, got, sizeof(got))) > 0)
		total += (size_t)n;
	waitpid(pid, NULL, 0);
	ok(total == sizeof(large) + 11, "large output goes out whole");
	finish();
}

static void
on_term(int signo)
{
	(void)signo;
	net_stop();
}

static void
stopping(void)
{
	struct sigaction sa = { .sa_handler = on_term, .sa_flags = SA_RESTART };

	begin(SPAN_NONE);
	sigaction(SIGTERM, &sa, NULL);
	raise(SIGTERM); /* before the wait: the race that matters */
	ok(gives("stop"), "a stop is not slept over");
	ok(net_write(&net, SPAN("bye")) == 0 && net_flush(&net) == 0,
	    "and the goodbye can be sent");
	finish();
}

/* Bytes of a literal among lines; how a line that was too long looked. */
static void
bytes(void)
{
	struct span s;

	begin(SPAN("a {3}\r\nx\r"));
	ok(net_ready(&net) && net_line(&net, &s) == NET_LINE &&
	        span_eq(s, SPAN("a {3}")) && !net_ready(&net),
	    "a line that is there is known to be there");
	ok(net_bytes(&net, 3, &s) == NET_LINE && span_eq(s, SPAN("x\r")),
	    "bytes as far as they are there");
	say(SPAN("yz\r\n"));
	ok(net_bytes(&net, 1, &s) == NET_LINE && span_eq(s, SPAN("y")),
	    "bytes that come later, no more than wanted");
	ok(net_line(&net, &s) == NET_LINE && span_eq(s, SPAN("z")),
	    "then lines again");
	net_trim(&net);
	ok(net.in.p == NULL && net.out.p == NULL, "idle it owns no memory");
	ok(net_bytes(&net, 1, &s) == NET_TIMEOUT, "bytes that never come");
	say(SPAN("12345678901234567890"));
	say(SPAN("{5+}\r"));
	say(SPAN("\n"));
	ok(net_line(&net, &s) == NET_TOOLONG &&
	        span_starts(s, SPAN("1234567890")) && net.last == '}',
	    "a line too long: how it began, how it ended");
	finish();
}

static void
waiting(void)
{
	struct span s;
	int fd[2];

	begin(SPAN_NONE);
	if (pipe(fd) == -1)
		die("pipe");
	ok(net_wait(&net, fd[0], 1) == NET_TIMEOUT, "nobody says a thing");
	if (write(fd[1], "x", 1) != 1)
		die("write");
	ok(net_wait(&net, fd[0], 60000) == NET_OTHER, "the other one does");
	say(SPAN("a\nb\n"));
	ok(net_wait(&net, fd[0], 60000) == NET_LINE, "the client goes first");
	ok(net_line(&net, &s) == NET_LINE && net_wait(&net, -1, 60000) ==
	        NET_LINE, "also with what is here already");
	(void)net_line(&net, &s);
	fd_close(&far);
	ok(net_wait(&net, -1, 60000) == NET_LINE &&
	        net_line(&net, &s) == NET_EOF, "and when it leaves");
	fd_close(&fd[0]);
	fd_close(&fd[1]);
	finish();
}

int
main(void)
{
	lines();
	bytes();
	waiting();
	timeouts();
	output();
	large_output();
	stopping();
	return done();
}
