/*
 * part_text: the pipeline. Chunks are taken in pieces of PIECE bytes, so
 * that memory stays small whatever is fed.
 */
#include "lib/part_text.h"

#include <string.h>

#include "lib/encoded_word.h"
#include "lib/fold.h"

enum { PIECE = 16 * 1024 };

void
part_text_init(struct part_text *t, struct span encoding, struct span charset,
    part_text_fn *fn, void *arg)
{
	t->fn = fn;
	t->arg = arg;
	t->enough = false;
	decode_init(&t->decode, decode_kind(encoding));
	charset_init(&t->charset, charset_find(charset));
	buf_init(&t->raw, SIZE_MAX / 4);
	buf_init(&t->utf8, SIZE_MAX / 4);
	buf_init(&t->folded, SIZE_MAX / 4);
}

/* What came out of the decoder, through the rest. */
static void
pass_on(struct part_text *t, bool last)
{
	charset_bytes(&t->charset, buf_get(&t->raw), &t->utf8);
	if (last)
		charset_end(&t->charset, &t->utf8);
	fold_utf8(buf_get(&t->utf8), &t->folded);
	if (t->folded.n > 0)
		t->enough = !t->fn(t->arg, buf_get(&t->folded));
	buf_clear(&t->raw);
	buf_clear(&t->utf8);
	buf_clear(&t->folded);
}

bool
part_text_bytes(struct part_text *t, struct span chunk)
{
	while (chunk.n > 0 && !t->enough) {
		decode_bytes(&t->decode, span_take(&chunk, PIECE), &t->raw);
		pass_on(t, false);
	}
	return !t->enough;
}

bool
part_text_end(struct part_text *t)
{
	if (!t->enough) {
		decode_end(&t->decode, &t->raw);
		pass_on(t, true);
	}
	buf_fini(&t->raw);
	buf_fini(&t->utf8);
	buf_fini(&t->folded);
	return !t->enough;
}

void
part_text_header(struct span value, struct buf *folded)
{
	struct buf utf8;

	buf_init(&utf8, SIZE_MAX / 4);
	encoded_word_decode(value, &utf8);
	fold_utf8(buf_get(&utf8), folded);
	buf_fini(&utf8);
}

int
part_text_needle(
    struct span key, const struct charset *charset, struct buf *folded)
{
	struct buf utf8;

	if (charset == NULL)
		charset = charset_utf8();
	if (!charset_ok(charset, key))
		return -1;
	buf_init(&utf8, SIZE_MAX / 4);
	charset_text(charset, key, &utf8);
	fold_utf8(buf_get(&utf8), folded);
	buf_fini(&utf8);
	return 0;
}

void
text_find_init(struct text_find *f, struct span needle)
{
	f->needle = needle;
	f->found = needle.n == 0;
	buf_init(&f->tail, SIZE_MAX / 4);
}

static bool
has(struct span s, struct span needle)
{
	return s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

/* tail: the last needle.n - 1 bytes before this chunk, if there were any. */
bool
text_find_in(struct text_find *f, struct span chunk)
{
	size_t keep = f->needle.n - 1;

	if (f->found)
		return true;
	if (f->tail.n > 0 || chunk.n < f->needle.n) {
		buf_span(&f->tail, span_slice(chunk, 0, keep));
		f->found = has(buf_get(&f->tail), f->needle);
	}
	if (!f->found)
		f->found = has(chunk, f->needle);
	if (chunk.n > keep) {
		buf_clear(&f->tail);
		buf_span(&f->tail, span_slice(chunk, chunk.n - keep, chunk.n));
	} else if (f->tail.n > keep) {
		buf_drop(&f->tail, f->tail.n - keep);
	}
	return f->found;
}

void
text_find_fini(struct text_find *f)
{
	buf_fini(&f->tail);
}
