/* flags: names and bits. System flags in any case, RFC 3501 9. */
#include "imapd/flags.h"

#include "imapd/session.h"
#include "lib/limits.h"
#include "lib/mailbox.h"

static const struct {
	const char *name;
	uint32_t bit;
} system_flags[] = {
	{ "\\Answered", MF_ANSWERED },
	{ "\\Flagged", MF_FLAGGED },
	{ "\\Deleted", MF_DELETED },
	{ "\\Seen", MF_SEEN },
	{ "\\Draft", MF_DRAFT },
	{ "\\Recent", MF_RECENT }, /* told, never taken */
};

int
flags_take(struct span *in, bool bare, struct span *list)
{
	bool open = imap_is(in, '(');
	struct span rest = *in, flag;
	size_t n = 0;

	if (!open && !bare)
		return -1;
	if (!(open && imap_is(&rest, ')'))) {
		do {
			if (imap_flag(&rest, &flag) == -1 ||
			    ++n > IMAP_FLAGS_MAX)
				return -1;
		} while (imap_sp(&rest) == 0);
		if (open && !imap_is(&rest, ')'))
			return -1;
	}
	*list = span_slice(*in, 0, in->n - rest.n - (open ? 1 : 0));
	*in = rest;
	return 0;
}

static bool
system_flag(struct span flag, uint32_t *bits)
{
	for (size_t i = 0; i < nitems(system_flags); i++) {
		if (system_flags[i].bit == MF_RECENT ||
		    !span_ieq(flag, span_str(system_flags[i].name)))
			continue;
		*bits |= system_flags[i].bit;
		return true;
	}
	return false;
}

const struct imap_reply *
flags_bits(struct mailbox *box, struct span list, bool make, uint32_t *flags,
    uint64_t *keywords)
{
	struct span flag;
	int bit;

	*flags = 0;
	*keywords = 0;
	while (imap_flag(&list, &flag) == 0) {
		(void)imap_sp(&list);
		if (flag.p[0] == '\\') {
			if (!system_flag(flag, flags))
				return &A_BAD_FLAG;
			continue;
		}
		if (flag.n > IMAP_KEYWORD_MAX)
			return &A_LIMIT;
		bit = mailbox_keyword_bit(box, flag, make);
		if (bit >= 0)
			*keywords |= (uint64_t)1 << bit;
		else if (make)
			return &A_KEYWORDS;
	}
	return NULL;
}

uint64_t
flags_keywords_known(const struct mailbox *box)
{
	uint64_t known = 0;

	for (unsigned i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
		if (mailbox_keyword(box, i)[0] != '\0')
			known |= (uint64_t)1 << i;
	return known;
}

void
flags_out(struct imap_out *o, const struct mailbox *box, uint32_t flags,
    uint64_t keywords, bool star)
{
	const char *name;

	out_open(o);
	for (size_t i = 0; i < nitems(system_flags); i++)
		if (flags & system_flags[i].bit)
			out_atom(o, system_flags[i].name);
	for (unsigned i = 0; keywords >> i != 0; i++) {
		if ((keywords >> i & 1) != 0) {
			name = mailbox_keyword(box, i);
			if (name[0] != '\0')
				out_atom(o, name);
		}
		if (i == MAILBOX_KEYWORDS_MAX - 1)
			break;
	}
	if (star)
		out_atom(o, "\\*");
	out_close(o);
}
