/* resolv: lines of words; all but one keyword is other people's business. */
#include "lib/resolv.h"

#include <arpa/inet.h>

static bool
is_address(const char *text)
{
	unsigned char a[16];

	return inet_pton(AF_INET, text, a) == 1 ||
	    inet_pton(AF_INET6, text, a) == 1;
}

bool
resolv_next(struct span *text, struct resolv_address *out)
{
	struct span line;

	while (text->n > 0) {
		line = span_line(text);
		if (!span_eq(span_word(&line), SPAN("nameserver")))
			continue;
		if (span_copy(out->text, sizeof(out->text), span_word(&line)) ==
		        0 &&
		    is_address(out->text))
			return true;
	}
	return false;
}
