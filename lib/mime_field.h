/*
 * mime_field: the values of Content- fields: RFC 2045 5.1 with comments and
 * blanks anywhere, RFC 2183, and what is found in letters instead. Linear,
 * never fails where something can be understood.
 */
#ifndef LIB_MIME_FIELD_H
#define LIB_MIME_FIELD_H

#include "lib/buf.h"

/* Drops blanks, line ends and comments (RFC 5322 3.2.2) from the front. */
void mime_skip(struct span *in);
/*
 * Takes a token off the front, and the blanks around it. Anything but blanks,
 * controls and tspecials (RFC 2045 5.1) may be in it. -1: there is none.
 */
int mime_token(struct span *in, struct span *token);

/*
 * "type/subtype" off the front; *in is then at the parameters. A type alone
 * gives an empty subtype. -1: not even that.
 */
int mime_type(struct span *in, struct span *type, struct span *subtype);
/* Of Content-Transfer-Encoding; p NULL, or no encoding: "7bit". */
struct span mime_encoding(struct span value);

/*
 * "; name=value" in any number, at most MIME_PARAMETERS_MAX. Pieces by RFC
 * 2231 (name*0, name*1*) are joined: "name" if no piece is extended, else
 * "name*" with a value that begins with charset'language' and is percent
 * encoded throughout. Names are lower case. Texts are in p->text.
 */
struct mime_params {
	struct buf text;
	size_t n;
	struct mime_param {
		size_t name, name_n, value, value_n; /* in text */
		size_t base_n; /* of the name, without "*0*" */
		int piece;     /* RFC 2231 number, -1: none */
		bool extended;
	} param[64];
};
void mime_params_init(struct mime_params *);
void mime_params_fini(struct mime_params *);
void mime_params_parse(struct mime_params *, struct span in);
struct span mime_param_name(const struct mime_params *, size_t i);
struct span mime_param_value(const struct mime_params *, size_t i);
/* Lower case name. false: no such parameter. */
bool mime_param_find(
    const struct mime_params *, struct span name, struct span *value);

/* Appends value as one line: a fold is a blank, no blanks at the ends. */
void mime_unfold(struct span value, struct buf *out);

#endif
