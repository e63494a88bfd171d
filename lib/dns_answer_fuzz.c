/*
 * dns_answer: hostile answers. Whatever comes, what is passed on is an
 * answer that encodes, decodes, and holds only what lib/ipc_dns.h promises.
 * The question is the message's own, so that the rest is looked at; the type
 * is the first byte.
 */
#include "lib/dns_answer.h"

#include <assert.h>

#include "lib/chars.h"
#include "lib/ipc_dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint32_t types[] = { DNS_A, DNS_CNAME, DNS_PTR, DNS_MX, DNS_TXT,
	DNS_AAAA, DNS_TLSA };

/* The question's name as text, if it has one that could be asked. */
static bool
asked(struct span message, uint32_t type, struct buf *name)
{
	struct ipc_dns q = { type == DNS_PTR ? DNS_A : type, SPAN_NONE };
	struct buf plain;
	size_t at = 12, n;
	bool good;

	buf_init(&plain, 256);
	while (at < message.n && (n = (unsigned char)message.p[at]) != 0) {
		if (n > 63 || at + 1 + n > message.n)
			break;
		if (plain.n > 0)
			buf_char(&plain, '.');
		buf_span(&plain, span_slice(message, at + 1, at + 1 + n));
		at += 1 + n;
	}
	q.name = buf_get(&plain);
	good = !plain.bad && dns_answer_question(&q, name) == 0;
	buf_fini(&plain);
	return good;
}

static void
name_is_clean(struct span s, bool slash)
{
	assert(s.n <= DNS_NAME_MAX);
	for (size_t i = 0; i < s.n; i++)
		assert(char_is(s.p[i], CH_ALNUM) || s.p[i] == '-' ||
		    s.p[i] == '_' || s.p[i] == '.' || (slash && s.p[i] == '/'));
}

static void
is_clean(const struct ipc_dns_is *is, uint32_t type)
{
	assert(is->n <= DNS_RECORDS_MAX);
	assert((is->status == DNS_OK) == (is->n > 0));
	assert(is->ttl <= DNS_TTL_MAX);
	name_is_clean(is->canonical, true);
	for (size_t i = 0; i < is->n; i++) {
		struct span d = is->record[i].data;

		assert(d.n <= DNS_DATA_MAX);
		if (type == DNS_A)
			assert(d.n == 4);
		else if (type == DNS_AAAA)
			assert(d.n == 16);
		else if (type == DNS_MX || type == DNS_PTR || type == DNS_CNAME)
			name_is_clean(d, false);
		if (type == DNS_MX && i > 0)
			assert(is->record[i - 1].pref <= is->record[i].pref);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipc_dns_is is, again;
	struct span message;
	struct buf name, mem, packet;
	uint32_t type;

	if (size < 1 || size - 1 > DNS_MESSAGE_MAX)
		return 0;
	type = types[data[0] % nitems(types)];
	message = span_of(data + 1, size - 1);
	buf_init(&name, 256);
	buf_init(&mem, DNS_ANSWER_MEM);
	buf_init(&packet, IPC_BODY_MAX);
	if (!asked(message, type, &name)) {
		buf_clear(&name);
		buf_str(&name, "x");
	}
	dns_answer_parse(message, type, buf_get(&name), &mem, &is);
	is_clean(&is, type);
	ipc_dns_is_encode(&packet, &is);
	assert(!packet.bad);
	assert(ipc_dns_is_decode(buf_get(&packet), &again) == 0);
	assert(again.n == is.n && again.status == is.status);
	buf_fini(&packet);
	buf_fini(&mem);
	buf_fini(&name);
	return 0;
}
