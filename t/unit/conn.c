/* conn: what lib/conn.h promises. */
#include "lib/conn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/os_loop.h"
#include "t/unit/story.h"
#include "t/unit/tap.h"

enum { LINE = 16, OUT = 4096 };

static struct conn *conn;
static int far = -1; /* the client's end */

/* What on_line does beyond noting, by the line's first letter. */
static void
act(struct conn *c, struct span line)
{
	switch (line.n == 0 ? '\0' : line.p[0]) {
	case 'P':
		conn_pause(c);
		break;
	case 'Q':
		conn_write(c, SPAN("bye\r\n"));
		conn_close(c);
		break;
	case 'A':
		conn_abort(c);
		break;
	case 'R':
		conn_raw_mode(c);
		break;
	case 'E':
		conn_write(c, line);
		conn_write(c, SPAN("\r\n"));
		break;
	}
}

static void
on_line(struct conn *c, struct span line, bool crlf)
{
	if (!crlf)
		buf_str(&story, "lf");
	story_line(line);
	act(c, line);
}

static void
on_toolong(struct conn *c)
{
	(void)c;
	buf_str(&story, "toolong ");
}

/* Raw until a '.', then lines again. */
static size_t
on_raw(struct conn *c, struct span bytes)
{
	size_t n = span_find(bytes, '.');

	buf_span(&story, span_slice(bytes, 0, n));
	if (n == bytes.n)
		return n;
	conn_line_mode(c, LINE);
	return n + 1;
}

static void
on_timeout(struct conn *c)
{
	buf_str(&story, "timeout ");
	conn_write(c, SPAN("too slow\r\n"));
}

static void
on_close(struct conn *c, enum conn_why why)
{
	story_close(c, why);
	if (c == conn)
		conn = NULL;
}

static const struct conn_ops ops = {
	.on_line = on_line,
	.on_toolong = on_toolong,
	.on_raw = on_raw,
	.on_timeout = on_timeout,
	.on_close = on_close,
};

static void
begin(void)
{
	conn = story_begin(&ops, LINE, OUT, &far);
}

static void
say(struct span s)
{
	if (s.n > 0 && write(far, s.p, s.n) != (ssize_t)s.n)
		die("write");
}

static bool
heard(const char *want)
{
	char got[1024];
	ssize_t n = read(far, got, sizeof(got));

	if (n < 0)
		n = 0;
	return span_eq(span_of(got, (size_t)n), span_str(want));
}

static void
finish(void)
{
	if (conn != NULL)
		conn_abort(conn);
	spin();
	fd_close(&far);
}

static const struct {
	const char *name;
	struct span in;
	const char *story;
} inputs[] = {
	{ "lines, and the start of one", SPAN("one\r\ntwo\r\n\r\nth"),
	    "[one][two][]" },
	{ "a bare LF is told apart", SPAN("one\ntwo\r\n"), "lf[one][two]" },
	{ "a bare CR is in the line", SPAN("a\rb\r\r\n"), "[a\rb\r]" },
	{ "the longest line", SPAN("12345678901234\r\nx\r\n"),
	    "[12345678901234][x]" },
	{ "one byte too long", SPAN("123456789012345\r\nx\r\n"),
	    "toolong [x]" },
	{ "the longest line with a bare LF", SPAN("123456789012345\nx\n"),
	    "lf[123456789012345]lf[x]" },
	{ "far too long is told once",
	    SPAN("1234567890123456789012345678901234567890\r\nx\r\n"),
	    "toolong [x]" },
	{ "not before its end", SPAN("12345678901234567890123456789"), "" },
	{ "two of them", SPAN("12345678901234567\n12345678901234567\nx\r\n"),
	    "toolong toolong [x]" },
	{ "raw and back", SPAN("R\r\nany\r\nbyte\n.x\r\n"),
	    "[R]any\r\nbyte\n[x]" },
	{ "nothing after a pause", SPAN("P\r\nx\r\ny\r\n"), "[P]" },
	{ "nothing after a close", SPAN("Q\r\nx\r\n"), "[Q]close:done" },
	{ "nothing after an abort", SPAN("A\r\nx\r\n"), "[A]close:done" },
};

static void
input_whole_and_split(void)
{
	size_t i, k, j;
	bool whole, split, bytes;

	for (i = 0; i < nitems(inputs); i++) {
		begin();
		say(inputs[i].in);
		spin();
		whole = told(inputs[i].story);
		finish();
		split = true;
		for (k = 0; k <= inputs[i].in.n; k++) {
			begin();
			say(span_slice(inputs[i].in, 0, k));
			spin();
			if (conn != NULL)
				say(span_slice(inputs[i].in, k, SIZE_MAX));
			spin();
			split = told(inputs[i].story) && split;
			finish();
		}
		begin();
		for (j = 0; j < inputs[i].in.n && conn != NULL; j++) {
			say(span_slice(inputs[i].in, j, j + 1));
			spin();
		}
		bytes = told(inputs[i].story);
		finish();
		ok(whole && split && bytes, inputs[i].name);
	}
}

static void
nul_is_a_byte(void)
{
	begin();
	say(SPAN("a\0b\r\n"));
	spin();
	ok(span_eq(buf_get(&story), SPAN("[a\0b]")), "a NUL is in the line");
	finish();
}

static void
pause_and_resume(void)
{
	begin();
	say(SPAN("P\r\nx\r\nP\r\ny\r"));
	spin();
	ok(told("[P]"), "a pause holds the lines that came along");
	ok(span_eq(conn_unread(conn), SPAN("x\r\nP\r\ny\r")),
	    "which can be looked at");
	ok(conn_spoke_early(conn), "the client spoke early");
	conn_resume(conn);
	spin();
	ok(told("[x][P]"), "a resume goes on to the next pause");
	say(SPAN("\nz\r\n"));
	spin();
	spin();
	ok(told(""), "what comes meanwhile waits");
	fd_close(&far);
	spin();
	ok(told(""), "so does the end");
	conn_resume(conn);
	spin();
	ok(told("[y][z]close:eof"), "and comes in order");
	finish();
	begin();
	ok(!conn_spoke_early(conn), "a silent client did not speak early");
	say(SPAN("x"));
	ok(conn_spoke_early(conn), "one byte in the socket is early");
	finish();
}

static void
ends(void)
{
	begin();
	say(SPAN("E1\r\nE2\r\nrest"));
	shutdown(far, SHUT_WR);
	spin();
	ok(told("[E1][E2]close:eof"), "the end of input, once");
	ok(heard("E1\r\nE2\r\n"), "all replies were sent before");
	finish();

	begin();
	conn_deadline(conn, 60000); /* real time passes, too */
	loop_skip(40000);
	say(SPAN("E\r\n"));
	spin();
	ok(told("[E]"), "not before the deadline");
	loop_skip(20000);
	spin();
	ok(told("timeout close:timeout"), "bytes do not move the deadline");
	ok(heard("E\r\ntoo slow\r\n"), "the goodbye is sent");
	finish();

	begin();
	conn_deadline(conn, 5000);
	conn_deadline(conn, 0);
	loop_skip(10000);
	spin();
	ok(told(""), "no deadline, no timeout");
	conn_close(conn);
	conn_close(conn);
	conn_abort(conn);
	conn_write(conn, SPAN("x"));
	ok(told(""), "on_close never comes from inside a call");
	spin();
	ok(told("close:done"), "and only once");
	finish();
}

static void
fill(struct span line, int times)
{
	while (times-- > 0)
		conn_write(conn, line);
}

static void
back_pressure(void)
{
	struct buf many = { .max = 65536 };
	char drain[65536];
	ssize_t n, total = 0;
	int i;

	begin();
	fill(SPAN("0123456789abcdef"), OUT / 16);
	spin();
	ok(told(""), "output up to the cap is fine");
	fill(SPAN("0123456789abcdef"), OUT / 16 + 1);
	spin();
	ok(told("close:overflow"), "one byte more ends the connection");
	finish();

	begin();
	for (i = 0; i < 10000; i++) {
		buf_clear(&story);
		say(SPAN("E23456789\r\n"));
		spin();
		if (story.n == 0)
			break;
	}
	ok(conn != NULL && i < 10000,
	    "a client that does not read is not read from");
	say(SPAN("last\r\n"));
	spin();
	ok(!span_ends(buf_get(&story), SPAN("[last]")), "not even one line");
	while ((n = read(far, drain, sizeof(drain))) > 0) {
		total += n;
		spin();
	}
	ok(total > 0 && span_ends(buf_get(&story), SPAN("[last]")),
	    "when it reads, all goes on");
	finish();

	begin();
	for (i = 0; i < 5000; i++)
		buf_str(&many, "E\r\n");
	say(buf_get(&many));
	buf_fini(&many);
	spin();
	total = 0;
	while ((n = read(far, drain, sizeof(drain))) > 0) {
		total += n;
		spin();
	}
	ok(conn != NULL && total == 15000,
	    "one read full of commands does not burst the cap");
	finish();
}

static void
stuck_client(void)
{
	begin();
	while (conn_fd(conn) != -1 && send(conn_fd(conn), "x", 1, 0) == 1)
		;
	conn_write(conn, SPAN("never read"));
	conn_close(conn);
	spin();
	ok(told(""), "closing waits for the client to read");
	loop_skip(CONN_FLUSH_MS);
	spin();
	ok(told("close:timeout"), "but not for ever");
	finish();

	begin();
	conn_write(conn, SPAN("421 go\r\n"));
	conn_close(conn);
	say(SPAN("EHLO x\r\n"));
	spin();
	ok(told("") && heard("421 go\r\n"), "last words before unread input");
	say(SPAN("more\r\n"));
	spin();
	ok(told(""), "what it still says is dropped");
	loop_skip(CONN_LINGER_MS);
	spin();
	ok(told("close:done"), "for a moment");
	finish();
}

static void
giving(void)
{
	int fd;

	begin();
	say(SPAN("P\r\nx\r\n"));
	spin();
	ok(span_eq(conn_unread(conn), SPAN("x\r\n")), "unread before giving");
	buf_clear(&story);
	fd = conn_give(conn);
	conn = NULL;
	spin();
	ok(fd != -1 && told(""), "a given connection ends without a word");
	ok(write(fd, "hello", 5) == 5 && heard("hello"), "its socket lives");
	fd_close(&fd);
	finish();

	begin();
	conn_write(conn, SPAN("x"));
	ok(conn_give(conn) == -1, "not while output waits");
	finish();
}

int
main(void)
{
	loop_init();
	input_whole_and_split();
	nul_is_a_byte();
	pause_and_resume();
	ends();
	back_pressure();
	stuck_client();
	giving();
	buf_fini(&story);
	loop_fini();
	return done();
}
