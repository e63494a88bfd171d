/*
 * charset: text of strangers in any charset becomes UTF-8, for SEARCH and
 * SORT. UTF-8, US-ASCII, the ISO-8859, Windows and KOI8 tables are built in.
 * East Asian ones, UTF-7 and UTF-16 come from iconv(3), whose tables are
 * files: they are known only if charset_preload() was called before the
 * sandbox; processes that are forked afterwards have them, too.
 */
#ifndef LIB_CHARSET_H
#define LIB_CHARSET_H

#include "lib/span.h"

struct buf;
struct charset;

/* Once, before the sandbox. What iconv lacks stays unknown. */
void charset_preload(void);

/* By name or alias, any case ("utf8", "cp1252", ...). NULL: unknown. */
const struct charset *charset_find(struct span name);
const struct charset *charset_utf8(void);

/*
 * A stream: bytes that end within a character are held for the next call.
 * What means nothing in the charset becomes U+FFFD. charset NULL: ASCII and
 * valid UTF-8 stay, other bytes are taken for Windows-1252. Of one of iconv's
 * charsets only one stream can be under way.
 */
struct charset_stream {
	const struct charset *charset;
	char held[16];
	size_t n;
};
void charset_init(struct charset_stream *, const struct charset *);
/* Appends whole characters. */
void charset_bytes(struct charset_stream *, struct span in, struct buf *out);
void charset_end(struct charset_stream *, struct buf *out);

/* All at once. */
void charset_text(const struct charset *, struct span in, struct buf *out);

/* All of in means something in it. */
bool charset_ok(const struct charset *, struct span in);

#endif
