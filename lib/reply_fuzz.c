/*
 * reply: what a remote server says, kept. Whatever came, the copy is
 * terminated, valid UTF-8, free of controls, and idempotent. The bytes up to
 * the first LF are the enhanced code.
 */
#include "lib/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chars.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), first = span_cut(&in, '\n');
	struct reply_copy r, again;
	char *enhanced = span_dup(first);
	struct span text;
	size_t i;

	reply_set(&r, 550, enhanced == NULL ? "" : enhanced, in);
	free(enhanced);
	assert(memchr(r.enhanced, '\0', sizeof(r.enhanced)) != NULL);
	assert(memchr(r.text, '\0', sizeof(r.text)) != NULL);
	text = span_str(r.text);
	assert(utf8_ok(text));
	for (i = 0; i < text.n; i++)
		assert(!char_is(text.p[i], CH_CTL));
	for (i = 0; r.enhanced[i] != '\0'; i++)
		assert(char_is(r.enhanced[i], CH_DIGIT) ||
		    r.enhanced[i] == '.');
	reply_set(&again, r.code, r.enhanced, text);
	assert(strcmp(r.text, again.text) == 0);
	assert(strcmp(r.enhanced, again.enhanced) == 0);
	return 0;
}
