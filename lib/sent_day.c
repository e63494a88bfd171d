/*
 * sent_day: looks for the name of a month between words; its neighbours are
 * the day and the year. lib/imap_date.h knows the calendar.
 */
#include "lib/sent_day.h"

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/imap_date.h"

enum { WORDS_MAX = 16 };

/* The next word: letters, digits and colons. Comments are passed over. */
static struct span
word_next(struct span *in)
{
	unsigned depth = 0;
	size_t n = 0;

	while (in->n > 0 && (depth > 0 || !char_is(in->p[0], CH_ALNUM))) {
		if (in->p[0] == '(')
			depth++;
		else if (in->p[0] == ')' && depth > 0)
			depth--;
		span_take(in, 1);
	}
	while (n < in->n && (char_is(in->p[n], CH_ALNUM) || in->p[n] == ':'))
		n++;
	return span_take(in, n);
}

static size_t
words_of(struct span in, struct span *word)
{
	size_t n = 0;

	while (n < WORDS_MAX && (word[n] = word_next(&in)).n > 0)
		n++;
	return n;
}

/* RFC 5322 4.3: of two digits, or (years since 1900) of three. */
static uint64_t
year_of(struct span word)
{
	uint64_t year;

	if (span_num(word, 0, 9999, &year) == -1)
		return 0;
	if (word.n == 2)
		return year < 50 ? 2000 + year : 1900 + year;
	return word.n == 3 ? 1900 + year : year;
}

/* "21", "Nov", "2026". */
static int
day_of(struct span d, struct span month, struct span y, int64_t *day)
{
	uint64_t number, year = year_of(y);
	struct span text;
	struct buf b;
	int rc = -1;

	if (span_num(d, 1, 31, &number) == -1 || year == 0 || month.n < 3)
		return -1;
	buf_init(&b, 64);
	buf_fmt(&b, "%u-%.3s-%04u", (unsigned)number, month.p, (unsigned)year);
	text = buf_get(&b);
	if (!b.bad)
		rc = imap_date(&text, day);
	buf_fini(&b);
	return rc;
}

int
sent_day(struct span value, int64_t *day)
{
	struct span w[WORDS_MAX];
	size_t n = words_of(value, w);

	for (size_t i = 0; i + 2 < n; i++)
		if (day_of(w[i], w[i + 1], w[i + 2], day) == 0)
			return 0;
	/* ctime(3): "Nov 21 08:37:00 2026" */
	for (size_t i = 0; i + 3 < n; i++)
		if (day_of(w[i + 1], w[i], w[i + 3], day) == 0)
			return 0;
	return -1;
}
