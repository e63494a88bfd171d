/*
 * imap_token: atoms, strings, literals, numbers of RFC 3501 9.
 *
 * Each parser works on a copy of *in and gives it back only when all of its
 * piece was there. Sets and dates are in lib/imap_set.c and lib/imap_date.c.
 */
#include "lib/imap_token.h"

#include "lib/chars.h"
#include "lib/limits.h"

/* atom-specials but "]", which only some atoms may have. */
static bool
atom_char(char c)
{
	switch (c) {
	case '(':
	case ')':
	case '{':
	case '%':
	case '*':
	case '"':
	case '\\':
	case ']':
		return false;
	default:
		return char_is(c, CH_GRAPH);
	}
}

/* Takes the longest run of atom characters and of those in more. */
static int
take_run(struct span *in, const char *more, struct span *out)
{
	struct span also = span_str(more);
	size_t n = 0;

	while (n < in->n &&
	    (atom_char(in->p[n]) || span_has(also, in->p[n])))
		n++;
	if (n == 0)
		return -1;
	*out = span_take(in, n);
	return 0;
}

/* --- the end of a line --------------------------------------------------- */

/*
 * A line that ends in '}' cannot end inside a quoted string of a good
 * command, so the end alone decides (and must, before anything is parsed).
 */
enum imap_ends
imap_line_end(struct span line, struct imap_literal *lit)
{
	struct imap_literal l = { .sync = true };
	struct span number;
	size_t open;

	if (line.n == 0 || line.p[line.n - 1] != '}')
		return IMAP_LINE_ENDS;
	if ((open = span_rfind(line, '{')) == line.n)
		return IMAP_LINE_ENDS;
	number = span_slice(line, open + 1, line.n - 1);
	if (number.n > 0 && number.p[number.n - 1] == '+') {
		l.sync = false;
		number.n--;
	}
	if (number.n == 0 || !chars_all(number, CH_DIGIT))
		return IMAP_LINE_ENDS;
	l.at = open;
	if (open > 0 && line.p[open - 1] == '~') {
		l.binary = true;
		l.at--;
	}
	if (span_num(number, 0, INT64_MAX, &l.size) == -1)
		return IMAP_LITERAL_BAD;
	*lit = l;
	return IMAP_LITERAL_FOLLOWS;
}

/* --- words ---------------------------------------------------------------- */

bool
imap_is(struct span *in, char c)
{
	if (in->n == 0 || in->p[0] != c)
		return false;
	span_take(in, 1);
	return true;
}

int
imap_sp(struct span *in)
{
	return imap_is(in, ' ') ? 0 : -1;
}

int
imap_tag(struct span *in, struct span *tag)
{
	struct span rest = *in, t;

	if (take_run(&rest, "]", &t) == -1 || t.n > IMAP_TAG_MAX ||
	    span_has(t, '+'))
		return -1;
	*tag = t;
	*in = rest;
	return 0;
}

int
imap_atom(struct span *in, struct span *atom)
{
	return take_run(in, "", atom);
}

int
imap_flag(struct span *in, struct span *flag)
{
	struct span rest = *in, name;

	(void)imap_is(&rest, '\\');
	if (take_run(&rest, "", &name) == -1)
		return -1;
	*flag = span_take(in, in->n - rest.n);
	return 0;
}

bool
imap_word(struct span *in, const char *word)
{
	struct span rest = *in, atom;

	if (take_run(&rest, "", &atom) == -1 ||
	    !span_ieq(atom, span_str(word)))
		return false;
	*in = rest;
	return true;
}

int
imap_number(struct span *in, uint64_t max, uint64_t *n)
{
	size_t digits = 0;

	while (digits < in->n && char_is(in->p[digits], CH_DIGIT))
		digits++;
	if (span_num(span_slice(*in, 0, digits), 0, max, n) == -1)
		return -1;
	span_take(in, digits);
	return 0;
}

/* --- strings -------------------------------------------------------------- */

/* Behind the opening quote. RFC 3501 9: no CR, LF, NUL, in any guise. */
static int
take_quoted(struct span *in, struct buf *scratch, struct span *out)
{
	struct span rest = *in;
	bool escaped = false;
	size_t i, from;

	for (i = 0; i < rest.n && rest.p[i] != '"'; i++) {
		if (rest.p[i] == '\\') {
			escaped = true;
			if (++i == rest.n ||
			    (rest.p[i] != '"' && rest.p[i] != '\\'))
				return -1;
		} else if (rest.p[i] == '\0' || rest.p[i] == '\r' ||
		    rest.p[i] == '\n') {
			return -1;
		}
	}
	if (i == rest.n)
		return -1;
	*in = span_slice(rest, i + 1, rest.n);
	rest = span_slice(rest, 0, i);
	if (!escaped) {
		*out = rest;
		return 0;
	}
	from = scratch->n;
	for (i = 0; i < rest.n; i++) {
		i += rest.p[i] == '\\';
		buf_char(scratch, rest.p[i]);
	}
	*out = span_slice(buf_get(scratch), from, scratch->n);
	return 0;
}

/* "{n}" or "{n+}", CR LF, n bytes. */
static int
take_literal(struct span *in, struct span *out)
{
	struct span rest = *in, body;
	uint64_t n;

	if (!imap_is(&rest, '{') || imap_number(&rest, INT64_MAX, &n) == -1)
		return -1;
	(void)imap_is(&rest, '+');
	if (!imap_is(&rest, '}') || !imap_is(&rest, '\r') ||
	    !imap_is(&rest, '\n') || n > rest.n)
		return -1;
	body = span_take(&rest, (size_t)n);
	if (span_has(body, '\0')) /* CHAR8 is no NUL */
		return -1;
	*out = body;
	*in = rest;
	return 0;
}

int
imap_string(struct span *in, struct buf *scratch, struct span *out)
{
	struct span rest = *in;

	if (!imap_is(&rest, '"'))
		return take_literal(in, out);
	/* What was unescaped before must not move (see imap_token.h). */
	if (span_has(rest, '\\') && buf_room(scratch, rest.n) == NULL)
		return -1;
	if (take_quoted(&rest, scratch, out) == -1)
		return -1;
	*in = rest;
	return 0;
}

static int
take_word_or_string(struct span *in, const char *more, struct buf *scratch,
    struct span *out)
{
	if (in->n > 0 && (in->p[0] == '"' || in->p[0] == '{'))
		return imap_string(in, scratch, out);
	return take_run(in, more, out);
}

int
imap_astring(struct span *in, struct buf *scratch, struct span *out)
{
	return take_word_or_string(in, "]", scratch, out);
}

int
imap_list_mailbox(struct span *in, struct buf *scratch, struct span *out)
{
	return take_word_or_string(in, "]%*", scratch, out);
}

int
imap_nstring(struct span *in, struct buf *scratch, struct span *out,
    bool *nil)
{
	if (imap_word(in, "NIL")) {
		*nil = true;
		*out = SPAN_NONE;
		return 0;
	}
	if (imap_string(in, scratch, out) == -1)
		return -1;
	*nil = false;
	return 0;
}
