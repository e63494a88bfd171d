/*
 * chars: what a byte is, by ASCII tables (the locale has no say in a
 * protocol), and strict UTF-8 (RFC 3629 4).
 */
#ifndef LIB_CHARS_H
#define LIB_CHARS_H

#include "lib/span.h"

enum chars_class {
	CH_ALPHA = 1 << 0,
	CH_DIGIT = 1 << 1,
	CH_HEX = 1 << 2,
	CH_BLANK = 1 << 3,  /* space, tab */
	CH_PRINT = 1 << 4,  /* space to tilde */
	CH_GRAPH = 1 << 5,  /* without space */
	CH_ATEXT = 1 << 6,  /* RFC 5322 3.2.3 */
	CH_QTEXT = 1 << 7,  /* qtextSMTP, RFC 5321 4.1.2: space is one */
	CH_DTEXT = 1 << 8,  /* dcontent, RFC 5321 4.1.3 */
	CH_FTEXT = 1 << 9,  /* of a header field's name, RFC 5322 3.6.8 */
	CH_BASE64 = 1 << 10,/* RFC 4648 4, without the padding */
	CH_CTL = 1 << 11,   /* below space, DEL */
	CH_FWS = 1 << 12,   /* blanks, CR, LF; RFC 5322 3.2.2 */
	CH_ALNUM = CH_ALPHA | CH_DIGIT,
};

extern const uint16_t chars_table[256];

static inline bool
char_is(char c, unsigned classes)
{
	return (chars_table[(unsigned char)c] & classes) != 0;
}

static inline char
char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char
char_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* Its value, or -1. */
int char_hex(char c);

/* Every byte of s is of one of these classes; true for an empty s. */
bool chars_all(struct span s, unsigned classes);

/*
 * Length of the well-formed UTF-8 character at the front of s (1 for ASCII,
 * NUL and controls too), 0 if there is none: overlong, surrogate, above
 * U+10FFFF, cut short, or s is empty.
 */
size_t utf8_char(struct span s);
bool utf8_ok(struct span s);
/* Likewise, and *cp is its code point. */
size_t utf8_decode(struct span s, uint32_t *cp);

#endif
