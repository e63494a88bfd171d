/*
 * mailbox_name: names of message files: flags as letters after ":2,", in
 * ASCII order, as every Maildir program writes them. Letters that are no
 * flags (P, or Dovecot's a to z) belong to others and are kept.
 */
#include "lib/mailbox_impl.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "lib/die.h"
#include "lib/hash.h"

static const struct letter {
	char c;
	unsigned flag;
} letters[] = {
	{ 'D', MF_DRAFT },
	{ 'F', MF_FLAGGED },
	{ 'R', MF_ANSWERED },
	{ 'S', MF_SEEN },
	{ 'T', MF_DELETED },
};

enum { NAME_HASH_SEED = 0 };

uint64_t
name_hash(struct span base)
{
	return hash_plain64(base, NAME_HASH_SEED);
}

static unsigned
letter_flag(char c)
{
	for (size_t i = 0; i < nitems(letters); i++)
		if (letters[i].c == c)
			return letters[i].flag;
	return 0;
}

unsigned
name_flags(struct span s)
{
	unsigned flags = 0;

	for (size_t i = 0; i < s.n; i++)
		flags |= letter_flag(s.p[i]);
	return flags;
}

void
name_make(struct buf *b, struct span base, unsigned flags, struct span others)
{
	unsigned c, flag;

	buf_span(b, base);
	buf_str(b, ":2,");
	for (c = '!'; c < 0x7f; c++) {
		flag = letter_flag((char)c);
		if (flag != 0 ? (flags & flag) != 0 :
		                span_has(others, (char)c))
			buf_char(b, (char)c);
	}
}

bool
name_odd(struct span name, unsigned flags)
{
	struct span rest = name;
	size_t i;

	(void)span_cut(&rest, ':');
	if (!span_starts(rest, SPAN("2,")))
		return true;
	span_take(&rest, 2);
	for (i = 0; i < nitems(letters); i++)
		if ((flags & letters[i].flag) != 0 &&
		    (rest.n == 0 || span_take(&rest, 1).p[0] != letters[i].c))
			return true;
	return rest.n > 0;
}

void
name_unique(struct buf *b)
{
	static struct utsname host;
	struct timespec ts;
	uint64_t luck;

	if (host.nodename[0] == '\0' && uname(&host) == -1)
		die("uname");
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		die("clock_gettime");
	random_bytes(&luck, sizeof(luck));
	buf_num(b, (uint64_t)ts.tv_sec);
	buf_str(b, ".R");
	buf_hex(b, luck, 16);
	buf_char(b, '.');
	for (size_t i = 0; i < 100 && host.nodename[i] != '\0'; i++)
		buf_char(b, strchr("/:,", host.nodename[i]) == NULL ?
			host.nodename[i] : '_');
}
