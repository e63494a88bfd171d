/*
 * search_key: hostile SEARCH arguments. What is taken is a tree: each key but
 * the first hangs somewhere, once, behind what it hangs below, and texts are
 * the command's.
 */
#include "lib/search_key.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_tree(const struct search *s)
{
	unsigned char *seen = calloc(s->n, 1);

	assert(seen != NULL && s->n >= 2 && s->n <= SEARCH_KEYS_MAX);
	assert(s->key[0].what == SEARCH_AND && s->key[0].next == 0);
	for (size_t i = 0; i < s->n; i++) {
		const struct search_key *k = &s->key[i];

		assert((k->what <= SEARCH_NOT) == (k->below != 0));
		assert(k->below < s->n && k->next < s->n);
		assert(k->below == 0 || (k->below > i && !seen[k->below]++));
		assert(k->next == 0 || (k->next > i && !seen[k->next]++));
		assert(k->set.n == 0 || k->what == SEARCH_SET ||
		    k->what == SEARCH_UID);
	}
	for (size_t i = 1; i < s->n; i++)
		assert(seen[i] == 1);
	free(seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct search s;
	struct buf scratch;

	if (n > IMAP_COMMAND_MAX)
		return 0;
	buf_init(&scratch, IMAP_COMMAND_MAX);
	if (search_parse(span_of(p, n), &scratch, &s) == 0) {
		check_tree(&s);
		assert(s.extended == (s.returns != 0));
	}
	search_fini(&s);
	buf_fini(&scratch);
	return 0;
}
