/* parameter: what may stand behind the address of MAIL and RCPT. */
#include "lib/parameter.h"

#include "t/unit/tap.h"

static const struct parameter_case {
	const char *name, *in;
	int rc;
	const char *keyword, *value, *rest;
} cases[] = {
	{ "nothing", "", 0, "", "", "" },
	{ "blanks", "  ", 0, "", "", "" },
	{ "one", "SIZE=100", 1, "SIZE", "100", "" },
	{ "one of two", " SIZE=1  BODY=8BITMIME", 1, "SIZE", "1",
	    "BODY=8BITMIME" },
	{ "without a value", "SMTPUTF8", 1, "SMTPUTF8", "", "" },
	{ "angle brackets are a value", "AUTH=<>", 1, "AUTH", "<>", "" },
	{ "a dash in the keyword", "X-Y=z", 1, "X-Y", "z", "" },
	{ "an empty value", "SIZE=", -1, "", "", "" },
	{ "an empty keyword", "=1", -1, "", "", "" },
	{ "a dash in front", "-X=1", -1, "", "", "" },
	{ "two equal signs", "A=b=c", -1, "", "", "" },
	{ "a control character", "A=b\001", -1, "", "", "" },
	{ "a byte with the eighth bit", "A=\xe4", -1, "", "", "" },
	{ "a keyword with a colon", "A:b=c", -1, "", "", "" },
};

int
main(void)
{
	struct span in, keyword, value;
	size_t i;
	int rc;

	for (i = 0; i < nitems(cases); i++) {
		in = span_str(cases[i].in);
		keyword = value = SPAN_NONE;
		rc = parameter_next(&in, &keyword, &value);
		ok(rc == cases[i].rc && (rc != 1 ||
		    (span_eq(keyword, span_str(cases[i].keyword)) &&
		    span_eq(value, span_str(cases[i].value)) &&
		    span_eq(in, span_str(cases[i].rest)))),
		    cases[i].name);
	}
	return done();
}
