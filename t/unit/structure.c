/*
 * structure: sections of a message by their numbers, sizes, what is told; the
 * limits; records that are damaged.
 */
#include "lib/structure.h"

#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/mime.h"
#include "t/unit/structure_told.h"
#include "t/unit/tap.h"

static const char letter[] = "From: a@x.org\n"
			     "Subject: s\n"
			     "Content-Type: multipart/mixed; boundary=o\n"
			     "\n"
			     "pre\n"
			     "--o\n"
			     "\n"
			     "one\n"
			     "--o\n"
			     "Content-Type: message/rfc822\n"
			     "\n"
			     "Subject: in\n"
			     "Content-Type: multipart/alternative; boundary=i\n"
			     "\n"
			     "--i\n"
			     "Content-Type: text/plain; charset=utf-8\n"
			     "\n"
			     "two one\n"
			     "--i\n"
			     "Content-Type: text/html\n"
			     "Content-Transfer-Encoding: BASE64\n"
			     "\n"
			     "PGI+\n"
			     "\n"
			     "--i--\n"
			     "--o\n"
			     "Content-Type: message/rfc822\n"
			     "\n"
			     "Subject: plain\n"
			     "\n"
			     "three\n"
			     "--o--\n"
			     "post\n";

static const struct section {
	const char *path;
	const char *header, *body; /* of BODY[path.HEADER], what follows */
	const char *mime;
} sections[] = {
	{ "1", "", "one", "\n" },
	{ "2.1", "", "two one", "Content-Type: text/plain; charset=utf-8\n\n" },
	{ "2.2", "", "PGI+\n",
	    "Content-Type: text/html\n"
	    "Content-Transfer-Encoding: BASE64\n\n" },
	{ "3", "Subject: plain\n\n", "three",
	    "Content-Type: message/rfc822\n\n" },
	{ "3.1", "", "three", "Subject: plain\n\n" },
	{ "0", NULL, NULL, NULL },
	{ "4", NULL, NULL, NULL },
	{ "1.1", NULL, NULL, NULL },
	{ "2.3", NULL, NULL, NULL },
	{ "2.1.1", NULL, NULL, NULL },
	{ "3.2", NULL, NULL, NULL },
	{ "3.1.1", NULL, NULL, NULL },
	{ "4294967295", NULL, NULL, NULL },
};

static size_t
numbers(const char *text, uint32_t *path)
{
	size_t n = 0;

	for (; *text != '\0'; n++) {
		path[n] =
		    (uint32_t)strtoul(text, (char **)(uintptr_t)&text, 10);
		if (*text == '.')
			text++;
	}
	return n;
}

static bool
is(uint64_t from, uint64_t to, const char *text)
{
	return span_eq(
	    span_of(letter + from, (size_t)(to - from)), span_str(text));
}

static void
test_sections(void)
{
	const struct section *c;
	struct structure_part p;
	struct structure s;
	uint32_t path[10];
	struct buf b;
	bool good;
	size_t n;

	buf_init(&b, STRUCTURE_MAX);
	structure_make(span_str(letter), &b);
	ok(structure_open(buf_get(&b), &s) == 0, "a record opens");
	for (c = sections; c < sections + nitems(sections); c++) {
		n = numbers(c->path, path);
		good = structure_find(&s, path, n, &p) == 0;
		if (c->body == NULL)
			good = !good;
		else
			good = good && is(p.header, p.body, c->header) &&
			    is(p.body, p.end, c->body) &&
			    is(p.mime, p.mime_end, c->mime);
		ok(good, c->path);
	}
	ok(structure_find(&s, path, 0, &p) == 0 && p.header == 0 &&
		p.end == strlen(letter) && p.is_message,
	    "the message");
	ok(structure_size(&s) == strlen(letter) + 33 &&
		p.header_size + p.body_size == structure_size(&s),
	    "sizes count CR LF");
	path[0] = 2;
	path[1] = 2;
	ok(structure_find(&s, path, 2, &p) == 0 &&
		span_eq(p.encoding, SPAN("base64")) &&
		span_eq(p.type, SPAN("text")) &&
		span_eq(p.subtype, SPAN("html")) && p.charset.n == 0,
	    "words are lower case");
	path[1] = 1;
	ok(structure_find(&s, path, 2, &p) == 0 &&
		span_eq(p.charset, SPAN("utf-8")),
	    "the charset");
	buf_fini(&b);
}

static bool
count(const struct structure_part *p, void *arg)
{
	char *text = arg;

	size_t n = strlen(text);

	text[n] = p->is_message ? 'm' : 'l';
	return n < 4;
}

static void
test_each(void)
{
	char text[20] = "";
	struct structure s;
	struct span v;
	struct buf b;

	buf_init(&b, STRUCTURE_MAX);
	structure_make(span_str(letter), &b);
	ok(structure_open(buf_get(&b), &s) == 0, "opens");
	structure_each(&s, count, text);
	ok(strcmp(text, "lmllm") == 0, "parts in order, until told to stop");
	ok(structure_field(&s, FIELD_SUBJECT, &v) && span_eq(v, SPAN("s")),
	    "a field");
	ok(!structure_field(&s, FIELD_DATE, &v), "a field that is not there");
	buf_fini(&b);
	buf_init(&b, STRUCTURE_MAX);
	structure_make(
	    SPAN("To: a\nTo: b,\n c\nSubject: x\nSubject: y\n\n"), &b);
	ok(structure_open(buf_get(&b), &s) == 0 &&
		structure_field(&s, FIELD_TO, &v) &&
		span_eq(v, SPAN("a, b, c")),
	    "fields of addresses are joined");
	ok(structure_field(&s, FIELD_SUBJECT, &v) && span_eq(v, SPAN("x")),
	    "of others the first counts");
	buf_fini(&b);
}

/* The record opens, and what is told of it is grammatical. */
static bool
is_told(const struct buf *rec, struct buf *told)
{
	struct structure s;

	return !rec->bad && structure_open(buf_get(rec), &s) == 0 &&
	    structure_is_told(&s, told);
}

static void
repeat(struct buf *b, const char *text, size_t n)
{
	while (n-- > 0)
		buf_str(b, text);
}

static void
test_limits(void)
{
	struct buf m, rec, told;
	size_t i;

	buf_init(&m, 64 << 20);
	buf_init(&rec, STRUCTURE_MAX);
	buf_init(&told, 64 << 20);

	repeat(&m, "Subject: x\nContent-Type: message/rfc822\n\n", 5000);
	structure_make(buf_get(&m), &rec);
	ok(is_told(&rec, &told), "letters in letters end somewhere");

	buf_clear(&m);
	buf_clear(&rec);
	buf_str(&m, "Content-Type: multipart/mixed; boundary=b\n\n");
	repeat(&m, "--b\n", 100000);
	structure_make(buf_get(&m), &rec);
	ok(is_told(&rec, &told), "a hundred thousand parts");

	buf_clear(&m);
	buf_clear(&rec);
	buf_str(&m, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (i = 0; i < 2000; i++) {
		buf_str(&m, "--b\nContent-Type: text/plain");
		repeat(&m, "; p=0123456789012345678901234567890123456789", 70);
		buf_str(&m, "\nContent-Language: ");
		repeat(&m, "en,", 100);
		buf_str(&m, "\n\n");
	}
	structure_make(buf_get(&m), &rec);
	ok(is_told(&rec, &told), "two thousand parts with many parameters");

	buf_clear(&m);
	buf_clear(&rec);
	buf_str(&m, "To: ");
	repeat(&m, "\"A name that is long\" <somebody@example.org>, ", 200000);
	buf_str(&m, "\nSubject: ");
	repeat(&m, "x", 3000000);
	buf_str(&m, "\n\n");
	structure_make(buf_get(&m), &rec);
	ok(is_told(&rec, &told), "a header of twelve million bytes");
	ok(memmem(told.p, told.n, "\"somebody\" \"example.org\")) ", 27) !=
		NULL,
	    "addresses are cut between two");

	/* Looked at once for each byte, these would take days. */
	buf_clear(&m);
	buf_clear(&rec);
	buf_str(&m, "Content-Language: x");
	repeat(&m, "(", 4000000);
	buf_str(&m, "\nContent-Type: multipart/mixed; boundary=\"b");
	repeat(&m, " ", 4000000);
	buf_str(&m, "\"\n\n--b\n\n");
	repeat(&m, "--\n", 1000000);
	structure_make(buf_get(&m), &rec);
	ok(is_told(&rec, &told), "comments and blanks in millions");

	buf_fini(&m);
	buf_fini(&rec);
	buf_fini(&told);
}

static void
test_damage(void)
{
	struct buf b, told, broken;
	struct structure s;
	size_t i, bit, opened = 0, bad = 0;

	buf_init(&b, STRUCTURE_MAX);
	buf_init(&broken, STRUCTURE_MAX);
	buf_init(&told, 1 << 20);
	structure_make(span_str(letter), &b);
	for (i = 0; i < b.n; i++)
		opened +=
		    structure_open(span_slice(buf_get(&b), 0, i), &s) != -1;
	ok(opened == 0, "a record cut short does not open");
	for (i = 0; i < b.n; i++)
		for (bit = 0; bit < 8; bit++) {
			buf_clear(&broken);
			buf_span(&broken, buf_get(&b));
			broken.p[i] = (char)(broken.p[i] ^ 1 << bit);
			if (structure_open(buf_get(&broken), &s) == -1)
				continue;
			opened++;
			bad += !is_told(&broken, &told);
		}
	ok(bad == 0, "a flipped bit is refused, or grammatical");
	printf("# %zu of %zu flips open\n", opened, b.n * 8);
	buf_char(&b, '\0');
	ok(structure_open(buf_get(&b), &s) == -1, "nor one with more");
	buf_fini(&b);
	buf_fini(&broken);
	buf_fini(&told);
}

int
main(void)
{
	test_sections();
	test_each();
	test_limits();
	test_damage();
	return done();
}
