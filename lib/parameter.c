/* parameter: "KEYWORD=value" behind MAIL and RCPT, RFC 5321 4.1.2. */
#include "lib/parameter.h"

#include "lib/chars.h"

static bool
is_keyword(struct span s)
{
	size_t i;

	if (s.n == 0 || !char_is(s.p[0], CH_ALNUM))
		return false;
	for (i = 1; i < s.n; i++)
		if (!char_is(s.p[i], CH_ALNUM) && s.p[i] != '-')
			return false;
	return true;
}

int
parameter_next(struct span *in, struct span *keyword, struct span *value)
{
	struct span word = span_word(in), key;
	bool given = span_has(word, '=');

	if (word.n == 0)
		return 0;
	key = span_cut(&word, '=');
	/* esmtp-value: one or more of 33..126 but "=" */
	if (!is_keyword(key) || !chars_all(word, CH_GRAPH) ||
	    span_has(word, '=') || (given && word.n == 0))
		return -1;
	*keyword = key;
	*value = word;
	return 1;
}
