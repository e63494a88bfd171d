/* recode: messages, and what becomes of them. */
#include "lib/recode.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/limits.h"
#include "t/unit/tap.h"

#define CTE "Content-Transfer-Encoding: "
#define MIXED "Content-Type: multipart/mixed; boundary=b\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\n"
#define V "MIME-Version: 1.0\n"
#define E "a large cup of caf\xc3\xa9\n"
#define EQ "a large cup of caf=C3=A9\n"

/* "~" is 600 times "x" in what goes in. */
static const struct recode_case {
	const char *name;
	bool eight_bit; /* is to go */
	const char *in, *out;
	bool left_8bit, left_long;
} cases[] = {
	{ "plain", true, V "\nhello\n", V "\nhello\n", 0, 0 },
	{ "8bit says so", true, V "Content-Type: text/plain\n" CTE "8bit\n\n" E,
	    V "Content-Type: text/plain\n" CTE "quoted-printable\n\n" EQ, 0, 0 },
	{ "to who takes 8-bit", false, V CTE "8bit\n\n" E,
	    V CTE "8bit\n\n" E, 1, 0 },
	{ "no MIME at all", true, "Subject: x\n\n" E,
	    "Subject: x\n" V "Content-Type: text/plain; charset=utf-8\n" CTE
	    "quoted-printable\n\n" EQ, 0, 0 },
	{ "no header", true, "\n" E,
	    V "Content-Type: text/plain; charset=utf-8\n" CTE
	      "quoted-printable\n\n" EQ, 0, 0 },
	{ "no blank line", true, "A: b\n" E,
	    "A: b\n" V "Content-Type: text/plain; charset=utf-8\n" CTE
	    "quoted-printable\n\n" EQ, 0, 0 },
	{ "no blank line, and the body would be a field", true,
	    V CTE "8bit\nContent-Type: text/plain\nA\xc3\xa9: a large cup\n",
	    V CTE "quoted-printable\nContent-Type: text/plain\n\n"
		"A=C3=A9: a large cup\n", 0, 0 },
	{ "no UTF-8", true, V "\n\xe9t\xe9 un deux trois quatre cinq",
	    V "Content-Type: text/plain; charset=unknown-8bit\n" CTE
	      "quoted-printable\n\n=E9t=E9 un deux trois quatre cinq", 0, 0 },
	{ "much 8-bit", true,
	    V "Content-Type: text/plain\n\n\xc3\xa9\xc3\xa9\xc3\xa9\n",
	    V "Content-Type: text/plain\n" CTE "base64\n\nw6nDqcOpDQo=\n", 0, 0 },
	{ "several encodings", true,
	    V CTE "8bit\nA: b\n" CTE "base64\nContent-Type: text/x\n\n" E,
	    V CTE "quoted-printable\nA: b\nContent-Type: text/x\n\n" EQ, 0, 0 },
	{ "several encodings, and a line that is no field", true,
	    CTE "8bit\nstray\n" CTE "base64\n" CTE "x\n" V
		"Content-Type: text/x\n\n" E,
	    CTE "quoted-printable\nstray\n" CTE "quoted-printable\n" V
		"Content-Type: text/x\n\n" EQ, 0, 0 },
	{ "an unknown encoding", true, V CTE "x-uuencode\n\n" E,
	    V CTE "x-uuencode\n\n" E, 1, 0 },
	{ "quoted-printable is mended", true, V CTE "quoted-printable\n\na=3D" E,
	    V CTE "quoted-printable\n\na=3D" EQ, 0, 0 },
	{ "and said so that all know it", true,
	    V CTE "\n quoted-printable (x)\n" CTE "8bit\n\na=3D" E,
	    V CTE "quoted-printable\n\na=3D" EQ, 0, 0 },
	{ "base64 is mended", true, V CTE "base64\n\nZm\xc3" "9v\n",
	    V CTE "base64\n\nZm9v\n", 0, 0 },
	{ "an 8-bit header stays", true, "Subject: " E "\nhello\n",
	    "Subject: " E "\nhello\n", 1, 0 },
	{ "one part of two", true,
	    V MIXED CTE "8bit\n\n--b\n\none\n--b\n" CTE "8bit\n\n" E
	    "--b--\n",
	    V MIXED CTE "7bit\n\n--b\n\none\n--b\n" CTE
	    "quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n" EQ
	    "--b--\n", 0,
	    0 },
	{ "8bit stays true of who holds an 8-bit header", true,
	    V MIXED CTE "8bit\n\n--b\nContent-Description: " E "\nx\n--b--\n",
	    V MIXED CTE "8bit\n\n--b\nContent-Description: " E "\nx\n--b--\n",
	    1, 0 },
	{ "what nobody shows", true,
	    V MIXED "\n" E "--b\n\none\n--b--\n" E,
	    V MIXED "\n--b\n\none\n--b--\n", 0, 0 },
	{ "and what could be sent", true,
	    V MIXED "\nMIME\n--b\n\none\n--b--\nend\n",
	    V MIXED "\nMIME\n--b\n\none\n--b--\nend\n", 0, 0 },
	{ "a signed one", true,
	    V SIGNED "\n" E "--b\n" CTE "8bit\n\n" E "--b\n\nS\n--b--\n",
	    V SIGNED "\n" E "--b\n" CTE "8bit\n\n" E "--b\n\nS\n--b--\n", 1,
	    0 },
	{ "a letter in a letter", true,
	    V "Content-Type: message/rfc822\n" CTE "8bit\n\nA: b\n" CTE
	      "8bit\nContent-Type: text/html\n\n" E,
	    V "Content-Type: message/rfc822\n" CTE "7bit\n\nA: b\n" CTE
	      "quoted-printable\nContent-Type: text/html\n" V "\n" EQ, 0, 0 },
	{ "a letter that is encoded all the same", true,
	    V "Content-Type: message/rfc822\n" CTE "base64\n\n" E,
	    V "Content-Type: message/rfc822\n" CTE "base64\n\n" E, 1, 0 },
	{ "a report is not encoded", true,
	    V "Content-Type: message/delivery-status\n\n" E,
	    V "Content-Type: message/delivery-status\n\n" E, 1, 0 },
	{ "a multipart without parts", true, V MIXED "\n" E, V MIXED "\n" E, 1,
	    0 },
	{ "a long header", false, "A: a ~ ~\n\n", "A: a ~\n ~\n\n", 0, 0 },
	{ "a long header without a blank", false, "A: ~~\n\n", "A: ~~\n\n", 0,
	    1 },
	{ "a long line under DKIM", false, "A: b\nDKIM-Signature: v=1\n\n~~\n",
	    "A: b\nDKIM-Signature: v=1\n\n~~\n", 0, 1 },
	{ "under ARC", false, "x\nARC-Message-Signature: i=1\nA: ~ ~\n\nx\n",
	    "x\nARC-Message-Signature: i=1\nA: ~ ~\n\nx\n", 0, 1 },
	{ "8-bit under DKIM", true, "DKIM-Signature: v=1\n\n" E,
	    "DKIM-Signature: v=1\n" V
	    "Content-Type: text/plain; charset=utf-8\n" CTE
	    "quoted-printable\n\n" EQ, 0, 0 },
	{ "a long stray line", false, "~~\nA: b\n\nx\n", "~~\nA: b\n\nx\n", 0,
	    1 },
};

static void
widen(const char *in, struct buf *out)
{
	buf_clear(out);
	for (; *in != '\0'; in++)
		for (int i = 0; i < (*in == '~' ? 600 : 1); i++)
			buf_char(out, *in == '~' ? 'x' : *in);
}

static void
run(const struct recode_case *c)
{
	struct buf in, want, out;
	struct recode r;

	buf_init(&in, 100000);
	buf_init(&want, 100000);
	buf_init(&out, 100000);
	widen(c->in, &in);
	widen(c->out, &want);
	recode_init(&r, buf_get(&in), c->eight_bit);
	(void)recode_bytes(&r, buf_get(&in), 100000, &out);
	recode_end(&r, &out);
	if (!ok(span_eq(buf_get(&out), buf_get(&want)), c->name))
		printf("# %.*s\n", SPAN_FMT(buf_get(&out)));
	ok(r.eight_bit == c->left_8bit && r.long_line == c->left_long,
	    "what is left is noted");
	recode_fini(&r);
	buf_fini(&in);
	buf_fini(&want);
	buf_fini(&out);
}

/* A message with n times "x" on a line after the front. */
static bool
changes(const char *front, size_t n)
{
	struct recode r;
	struct buf b;
	bool is;

	buf_init(&b, 10000);
	buf_str(&b, front);
	for (; n > 0; n--)
		buf_char(&b, 'x');
	buf_str(&b, "\n\n");
	recode_init(&r, buf_get(&b), false);
	is = r.n > 0;
	recode_fini(&r);
	buf_fini(&b);
	return is;
}

/* A header line with n times "x", a blank and more; is it folded there? */
static bool
folds(size_t n)
{
	struct buf in, out;
	struct recode r;
	struct span rest, line;

	buf_init(&in, 10000);
	buf_init(&out, 10000);
	buf_str(&in, "A: b ");
	for (size_t i = 0; i < n; i++)
		buf_char(&in, 'x');
	buf_str(&in, " x\n\n");
	recode_init(&r, buf_get(&in), false);
	(void)recode_bytes(&r, buf_get(&in), SIZE_MAX, &out);
	recode_end(&r, &out);
	recode_fini(&r);
	rest = buf_get(&out);
	line = span_cut(&rest, '\n');
	n += strlen("A: b ");
	buf_fini(&in);
	buf_fini(&out);
	return line.n == n;
}

/* More parts than are taken apart: nothing is touched. */
static void
many(void)
{
	struct recode r;
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	buf_str(&b, V MIXED "\n");
	for (i = 0; i < MIME_PARTS_MAX + 10; i++)
		buf_str(&b, "--b\n\n" E);
	recode_init(&r, buf_get(&b), true);
	ok(r.n == 0 && r.eight_bit, "too many parts stay as they are");
	recode_fini(&r);
	buf_fini(&b);
}

int
main(void)
{
	const struct recode_case *c;

	for (c = cases; c < cases + nitems(cases); c++)
		run(c);
	ok(!changes("A: b ", SMTP_TEXT_LINE_MAX - 5), "998 in a header stay");
	ok(changes("A: b ", SMTP_TEXT_LINE_MAX - 4), "999 do not");
	ok(!changes("A: b\n\n", SMTP_TEXT_LINE_MAX), "998 in a part stay");
	ok(changes("A: b\n\n", SMTP_TEXT_LINE_MAX + 1), "999 do not");
	ok(folds(SMTP_TEXT_LINE_MAX - 5), "998 and a blank are folded there");
	ok(!folds(SMTP_TEXT_LINE_MAX - 4), "999 are folded before");
	many();
	return done();
}
