/*
 * charset: text of strangers in any charset becomes UTF-8, for SEARCH and
 * SORT. UTF-8, US-ASCII, UTF-7, UTF-16, the ISO-8859, Windows and KOI8 tables
 * are built in. East Asian ones come from iconv(3), whose tables are files:
 * they work only if charset_preload() was called before the sandbox (and in
 * every process forked from that one, since descriptors of iconv are memory).
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
 * valid UTF-8 stay, other bytes are taken for Windows-1252.
 */
struct charset_stream {
	const struct charset *charset;
	char held[16];
	size_t n;
	uint32_t state;  /* shifts of UTF-7, byte order of UTF-16 */
	uint32_t bits, have;
};
void charset_init(struct charset_stream *, const struct charset *);
void charset_bytes(struct charset_stream *, struct span in, struct buf *out);
void charset_end(struct charset_stream *, struct buf *out);

/* All at once. */
void charset_text(const struct charset *, struct span in, struct buf *out);

#endif
