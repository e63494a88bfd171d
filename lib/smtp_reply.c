/*
 * smtp_reply: hostile or merely old servers. A line that is no reply, a code
 * that changes half-way, or more lines than RELAY_REPLY_LINES_MAX leave no
 * sense in what follows: REPLY_BAD, and the connection is of no more use.
 */
#include "lib/smtp_reply.h"

#include <string.h>

#include "lib/chars.h"
#include "lib/limits.h"

void
smtp_reply_init(struct smtp_reply *r)
{
	*r = (struct smtp_reply){ 0 };
	buf_init(&r->text, RELAY_REPLY_MAX);
}

void
smtp_reply_fini(struct smtp_reply *r)
{
	buf_fini(&r->text);
}

void
smtp_reply_clear(struct smtp_reply *r)
{
	struct buf text = r->text;

	buf_clear(&text);
	*r = (struct smtp_reply){ .text = text };
}

/* RFC 5321 4.2: the first digit is 2 to 5. The second is left to them. */
static int
code_of(struct span line)
{
	uint64_t code;

	if (span_num(span_slice(line, 0, 3), 200, 599, &code) == -1 ||
	    line.n < 3)
		return -1;
	return (int)code;
}

/* Up to three digits; their number. */
static size_t
digits(struct span s)
{
	size_t n = 0;

	while (n < s.n && n < 4 && char_is(s.p[n], CH_DIGIT))
		n++;
	return n > 3 ? 0 : n;
}

/*
 * "5.1.1 " at the front of *text, of that class (RFC 3463 2): taken off and
 * copied to out; else nothing happens.
 */
static bool
enhanced_take(struct span *text, int class, char out[12])
{
	struct span rest = *text;
	size_t n, i;

	if (rest.n < 5 || rest.p[0] != '0' + class || rest.p[1] != '.')
		return false;
	(void)span_take(&rest, 2);
	for (i = 0; i < 2; i++) {
		if ((n = digits(rest)) == 0)
			return false;
		(void)span_take(&rest, n);
		if (i == 0 && !span_eq(span_take(&rest, 1), SPAN(".")))
			return false;
	}
	if (rest.n > 0 && rest.p[0] != ' ')
		return false;
	n = text->n - rest.n;
	(void)span_copy(out, 12, span_slice(*text, 0, n));
	(void)span_take(&rest, 1);
	*text = rest;
	return true;
}

/* Lines repeat the enhanced code of the first: it is not text. */
static void
text_add(struct smtp_reply *r, struct span text)
{
	char code[12] = "";
	struct span bare = text;

	if (enhanced_take(&bare, r->code / 100, code) &&
	    (r->lines == 0 || strcmp(code, r->enhanced) == 0)) {
		memcpy(r->enhanced, code, sizeof(code));
		text = bare;
	}
	if (r->cut || r->text.n + text.n + 1 > RELAY_REPLY_MAX) {
		r->cut = true;
		return;
	}
	if (r->lines > 0)
		buf_char(&r->text, '\n');
	buf_span(&r->text, text);
}

enum smtp_reply_got
smtp_reply_line(struct smtp_reply *r, struct span line)
{
	int code = code_of(line);
	char mark = line.n > 3 ? line.p[3] : ' ';

	if (code == -1 || (r->lines > 0 && code != r->code) ||
	    (mark != ' ' && mark != '-') ||
	    r->lines == RELAY_REPLY_LINES_MAX)
		return REPLY_BAD;
	r->code = code;
	text_add(r, span_slice(line, 4, line.n));
	r->lines++;
	return mark == '-' ? REPLY_MORE : REPLY_WHOLE;
}
