/*
 * aliases: names and targets, and what is said of lines that are neither.
 */
#include "lib/aliases.h"

#include "lib/conf.h"
#include "t/unit/lines.h"

static struct conf *conf;

static const struct good_case goods[] = {
	{ "a local part", "root: ann\n", "root=ann@a.org;" },
	{ "an address", "Sales@B.org: ann@b.org, x@c.net\n",
	    "sales@b.org=ann@b.org,x@c.net;" },
	{ "a whole domain", "@b.org: ann@a.org\n", "@b.org=ann@a.org;" },
	{ "a continued line", "all: ann,\n\tbob\n  # note\n , carl\n",
	    "all=ann@a.org,bob@a.org,carl@a.org;" },
	{ "a colon in quotes", "\"a:b\": ann\n", "\"a:b\"=ann@a.org;" },
	{ "a comma in quotes", "x: \"a,b\"@c.net, ann\n",
	    "x=\"a,b\"@c.net,ann@a.org;" },
	{ "sendmail's backslash", "ann: \\ann, bob\n",
	    "ann=ann@a.org,bob@a.org;" },
	{ "an address in brackets", "x: <ann@c.net>\n", "x=ann@c.net;" },
	{ "a comma at the end", "x: ann,\n", "x=ann@a.org;" },
	{ "a comment between", "x: ann\n# y: z\ny: bob\n",
	    "x=ann@a.org;y=bob@a.org;" },
	{ "nothing", "", "" },
};

static const struct bad_case bads[] = {
	{ "no colon", "ann bob\n", "a:1: no colon" },
	{ "no target", "x:\n", "no target" },
	{ "only commas", "x: , ,\n", "no target" },
	{ "a program", "x: |/bin/sh\n", "programs are never run" },
	{ "a program in quotes", "x: \"|/bin/sh -c x\"\n",
	    "programs are never run" },
	{ "a file", "x: /etc/passwd\n", "files are never written" },
	{ "a list", "x: :include:/etc/list\n", "lists from files" },
	{ "not an address", "x: a b@@c\n", "is no address" },
	{ "not a name", "a b: ann\n", "is no name" },
	{ "an empty name", ": ann\n", "is no name" },
	{ "a domain that is none", "@a..b: ann\n", "is no name" },
	{ "a foreign name", "x@c.net: ann\n", "not a local domain" },
	{ "a foreign domain", "@c.net: ann\n", "not a local domain" },
	{ "the same twice", "x: ann\nX: bob\n",
	    "a:2: X is already in line 1" },
	{ "a blank before the first", " x: ann\n", "none to continue" },
};

static int
read_lines(struct span text, struct buf *out, struct buf *err)
{
	return aliases_read(conf, text, "a", lines_row, out, err);
}

int
main(void)
{
	struct buf err;

	buf_init(&err, 65536);
	conf = conf_read_text(SPAN("hostname = mail.a.org\n"
	    "domains = a.org b.org\n"), "c", &err);
	buf_fini(&err);
	if (conf == NULL)
		return 1;
	lines_good(read_lines, goods, nitems(goods));
	lines_bad(read_lines, bads, nitems(bads));
	conf_free(conf);
	return done();
}
