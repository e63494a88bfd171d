/*
 * part_text: any bytes in any encoding and charset, whole and in pieces: the
 * same text, and UTF-8. The first byte chooses the encoding, the second the
 * charset, the third the size of the pieces.
 */
#include "lib/part_text.h"

#include <assert.h>
#include <string.h>

#include "lib/chars.h"
#include "lib/encoded_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
gather(void *arg, struct span s)
{
	buf_span(arg, s);
	return true;
}

static void
run(struct span in, size_t step, const char *encoding, const char *charset,
    struct buf *out)
{
	struct part_text t;
	struct span piece;

	part_text_init(&t, span_str(encoding), span_str(charset), gather, out);
	while (in.n > 0) {
		piece = span_take(&in, step);
		assert(part_text_bytes(&t, piece));
	}
	assert(part_text_end(&t));
	assert(!out->bad && utf8_ok(buf_get(out)));
}

/* A needle that is there is found, however the text is cut. */
static void
check_find(struct span text, size_t step)
{
	struct span needle = span_slice(text, text.n / 3, text.n / 2);
	struct span in = text;
	struct text_find f;

	text_find_init(&f, needle);
	while (in.n > 0)
		(void)text_find_in(&f, span_take(&in, step));
	assert(f.found);
	text_find_fini(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const encodings[] = { "7bit", "base64",
		"quoted-printable" };
	static const char *const charsets[] = { "", "utf-8", "us-ascii",
		"iso-8859-2", "koi8-r", "gb18030", "iso-2022-jp", "big5",
		"shift_jis", "euc-kr", "utf-16", "utf-7", "no-such" };
	struct buf whole, pieces;
	struct span in;
	const char *e, *c;

	charset_preload();
	if (size < 3)
		return 0;
	e = encodings[data[0] % nitems(encodings)];
	c = charsets[data[1] % nitems(charsets)];
	in = span_of(data + 3, size - 3);
	buf_init(&whole, SIZE_MAX / 4);
	buf_init(&pieces, SIZE_MAX / 4);
	run(in, in.n, e, c, &whole);
	run(in, data[2] % 40 + 1, e, c, &pieces);
	assert(span_eq(buf_get(&whole), buf_get(&pieces)));
	check_find(buf_get(&whole), data[2] % 40 + 1);
	buf_clear(&whole);
	encoded_word_decode(in, &whole);
	assert(utf8_ok(buf_get(&whole)));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
