/*
 * imap_grammar: reads what the server says, strictly by RFC 3501 9, knowing
 * nothing of the encoder. Each g_*() takes what it names off *in, or fails;
 * a test or a fuzz target asserts. Values are unescaped into *out if asked.
 */
#ifndef T_UNIT_IMAP_GRAMMAR_H
#define T_UNIT_IMAP_GRAMMAR_H

#include <string.h>

#include "lib/buf.h"

static bool g_utf8; /* quoted strings may hold UTF-8 (RFC 6855) */

static inline bool
g_is(struct span *in, const char *word)
{
	if (!span_istarts(*in, span_str(word)))
		return false;
	span_take(in, strlen(word));
	return true;
}

/* 1*digit, no leading zero but "0" itself. */
static inline bool
g_number(struct span *in, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < in->n && in->p[n] >= '0' && in->p[n] <= '9') {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(in->p[n++] - '0');
	}
	if (n == 0 || (n > 1 && in->p[0] == '0'))
		return false;
	span_take(in, n);
	if (out != NULL)
		*out = v;
	return true;
}

static inline bool
g_quoted(struct span *in, struct buf *out)
{
	unsigned char c;
	size_t i;

	if (in->n == 0 || in->p[0] != '"')
		return false;
	for (i = 1; i < in->n && in->p[i] != '"'; i++) {
		if (in->p[i] == '\\') {
			i++;
			if (i == in->n || (in->p[i] != '"' && in->p[i] != '\\'))
				return false;
		}
		c = (unsigned char)in->p[i];
		if (c == 0 || c == '\r' || c == '\n' || (c > 127 && !g_utf8))
			return false;
		if (out != NULL)
			buf_char(out, in->p[i]);
	}
	if (i >= in->n)
		return false;
	span_take(in, i + 1);
	return true;
}

static inline bool
g_literal(struct span *in, struct buf *out)
{
	struct span bytes, s = *in;
	uint64_t n;

	if (!g_is(&s, "{") || !g_number(&s, &n) || !g_is(&s, "}\r\n") ||
	    n > s.n)
		return false;
	bytes = span_take(&s, (size_t)n);
	if (span_has(bytes, '\0'))
		return false;
	if (out != NULL)
		buf_span(out, bytes);
	*in = s;
	return true;
}

static inline bool
g_string(struct span *in, struct buf *out)
{
	return g_quoted(in, out) || g_literal(in, out);
}

static inline bool
g_nil(struct span *in)
{
	return g_is(in, "NIL");
}

static inline bool
g_nstring(struct span *in, struct buf *out)
{
	return g_nil(in) || g_string(in, out);
}

/* ATOM-CHAR of RFC 3501 9; '[' is one. */
static inline bool
g_atom(struct span *in)
{
	size_t n;
	int c;

	for (n = 0; n < in->n; n++) {
		c = (unsigned char)in->p[n];
		if (c <= ' ' || c >= 127 || strchr("(){%*\"\\]", c) != NULL)
			break;
	}
	span_take(in, n);
	return n > 0;
}

static inline bool
g_astring(struct span *in, struct buf *out)
{
	struct span s = *in;

	if (g_string(in, out))
		return true;
	if (!g_atom(in))
		return false;
	if (out != NULL)
		buf_span(out, span_slice(s, 0, s.n - in->n));
	return true;
}

/* What follows "BODY[..": " (A "b c")]<0>". */
static inline bool
g_section(struct span *in)
{
	if (g_is(in, " (")) {
		do {
			if (!g_astring(in, NULL))
				return false;
		} while (g_is(in, " "));
		if (!g_is(in, ")"))
			return false;
	}
	if (!g_is(in, "]"))
		return false;
	return !g_is(in, "<") || (g_number(in, NULL) && g_is(in, ">"));
}

/* Atoms, flags, numbers, sets, sections. */
static inline bool
g_word(struct span *in)
{
	struct span s = *in;

	if (g_is(in, "\\*"))
		return true;
	(void)g_is(in, "\\");
	if (!g_atom(in))
		return false;
	s = span_slice(s, 0, s.n - in->n);
	return !span_has(s, '[') || g_section(in);
}

static inline bool g_list(struct span *in, unsigned depth);

static inline bool
g_item(struct span *in, unsigned depth)
{
	if (in->n > 0 && in->p[0] == '(')
		return g_list(in, depth + 1);
	return g_string(in, NULL) || g_word(in);
}

/* "(" items ")"; lists may stand side by side: (..)(..). */
static inline bool
g_list(struct span *in, unsigned depth)
{
	bool list;

	if (depth > 300 || !g_is(in, "("))
		return false;
	if (g_is(in, ")"))
		return true;
	for (;;) {
		list = in->n > 0 && in->p[0] == '(';
		if (!g_item(in, depth))
			return false;
		if (g_is(in, ")"))
			return true;
		if (list && in->n > 0 && in->p[0] == '(')
			continue;
		if (!g_is(in, " "))
			return false;
	}
}

/* 1*TEXT-CHAR, none of which is no. */
static inline bool
g_chars(struct span *in, int no)
{
	size_t n;
	int c;

	for (n = 0; n < in->n; n++) {
		c = (unsigned char)in->p[n];
		if (c == 0 || c == '\r' || c == '\n' || c == no ||
		    (c > 127 && !g_utf8))
			break;
	}
	span_take(in, n);
	return n > 0;
}

/* resp-text. */
static inline bool
g_text(struct span *in)
{
	if (g_is(in, "[") &&
	    !(g_atom(in) && (!g_is(in, " ") || g_chars(in, ']')) &&
		g_is(in, "] ")))
		return false;
	return in->n > 0 && in->p[0] != '[' && g_chars(in, 0);
}

static inline bool
g_status(struct span *in)
{
	return (g_is(in, "OK ") || g_is(in, "NO ") || g_is(in, "BAD ") ||
		   g_is(in, "BYE ") || g_is(in, "PREAUTH ")) &&
	    g_text(in);
}

/* One response, its CR LF included. */
static inline bool
g_response(struct span *in)
{
	struct span s;

	if (g_is(in, "+ "))
		return g_is(in, "\r\n") || (g_text(in) && g_is(in, "\r\n"));
	if (!g_is(in, "*") && !g_atom(in))
		return false;
	s = *in;
	if (g_is(&s, " ") && g_status(&s) && g_is(&s, "\r\n")) {
		*in = s;
		return true;
	}
	while (g_is(in, " "))
		if (!g_item(in, 0))
			return false;
	return g_is(in, "\r\n");
}

/* RFC 3501 9 address, and a parenthesized run of them or NIL. */
static inline bool
g_addresses(struct span *in)
{
	int i;

	if (g_nil(in))
		return true;
	if (!g_is(in, "("))
		return false;
	do {
		if (!g_is(in, "("))
			return false;
		for (i = 0; i < 4; i++)
			if ((i > 0 && !g_is(in, " ")) || !g_nstring(in, NULL))
				return false;
		if (!g_is(in, ")"))
			return false;
	} while (!g_is(in, ")"));
	return true;
}

static inline bool
g_envelope(struct span *in)
{
	int i;

	if (!g_is(in, "(") || !g_nstring(in, NULL) || !g_is(in, " ") ||
	    !g_nstring(in, NULL))
		return false;
	for (i = 0; i < 6; i++)
		if (!g_is(in, " ") || !g_addresses(in))
			return false;
	for (i = 0; i < 2; i++)
		if (!g_is(in, " ") || !g_nstring(in, NULL))
			return false;
	return g_is(in, ")");
}

/* body-fld-param: NIL or pairs; body-fld-lang: nstring or strings. */
static inline bool
g_strings(struct span *in, bool pairs)
{
	int n = 0;

	if (g_nil(in))
		return true;
	if (!g_is(in, "("))
		return false;
	do {
		if (!g_string(in, NULL))
			return false;
		n++;
	} while (g_is(in, " "));
	return g_is(in, ")") && (!pairs || n % 2 == 0);
}

/* SP body-fld-dsp SP body-fld-lang SP body-fld-loc, what is there of it. */
static inline bool
g_body_ext(struct span *in)
{
	struct span s;

	if (!g_is(in, " "))
		return true;
	if (!g_nil(in) &&
	    !(g_is(in, "(") && g_string(in, NULL) && g_is(in, " ") &&
		g_strings(in, true) && g_is(in, ")")))
		return false;
	if (!g_is(in, " "))
		return true;
	s = *in;
	if (g_nstring(&s, NULL))
		*in = s;
	else if (!g_strings(in, false))
		return false;
	return !g_is(in, " ") || g_nstring(in, NULL);
}

static inline bool g_body(struct span *in, unsigned depth);

static inline bool
g_body_multi(struct span *in, unsigned depth)
{
	do {
		if (!g_body(in, depth + 1))
			return false;
	} while (in->n > 0 && in->p[0] == '(');
	if (!g_is(in, " ") || !g_string(in, NULL))
		return false;
	if (!g_is(in, " "))
		return true;
	return g_strings(in, true) && g_body_ext(in);
}

static inline bool
g_body_single(struct span *in, unsigned depth)
{
	struct buf type;
	bool text, message;

	buf_init(&type, 1 << 20);
	if (!g_string(in, &type))
		type.bad = true;
	buf_char(&type, '/');
	if (!g_is(in, " ") || !g_string(in, &type))
		type.bad = true;
	text = span_istarts(buf_get(&type), SPAN("text/"));
	message = span_ieq(buf_get(&type), SPAN("message/rfc822"));
	if (type.bad)
		return buf_fini(&type), false;
	buf_fini(&type);
	if (!g_is(in, " ") || !g_strings(in, true) || !g_is(in, " ") ||
	    !g_nstring(in, NULL) || !g_is(in, " ") || !g_nstring(in, NULL) ||
	    !g_is(in, " ") || !g_string(in, NULL) || !g_is(in, " ") ||
	    !g_number(in, NULL))
		return false;
	if (message &&
	    (!g_is(in, " ") || !g_envelope(in) || !g_is(in, " ") ||
		!g_body(in, depth + 1)))
		return false;
	if ((text || message) && (!g_is(in, " ") || !g_number(in, NULL)))
		return false;
	if (!g_is(in, " "))
		return true;
	return g_nstring(in, NULL) && g_body_ext(in); /* MD5 first */
}

/* RFC 3501 9 body, with or without extension data. */
static inline bool
g_body(struct span *in, unsigned depth)
{
	if (depth > 300 || !g_is(in, "("))
		return false;
	if (in->n > 0 && in->p[0] == '(')
		return g_body_multi(in, depth) && g_is(in, ")");
	return g_body_single(in, depth) && g_is(in, ")");
}

#endif
