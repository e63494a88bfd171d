/*
 * ipc: hostile packets through every decoder. The first two bytes are the
 * type. What decodes must encode to the same bytes again: one message has one
 * form, and nothing in it was overlooked. Without its last byte, or with one
 * more, it is no message.
 */
#include "lib/ipc.h"

#include <assert.h>

#include "lib/ipc_auth.h"
#include "lib/ipc_ctl.h"
#include "lib/ipc_dns.h"
#include "lib/ipc_job.h"
#include "lib/ipc_mail.h"
#include "lib/ipc_setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Decodes in; if that works, encodes it into b. */
#define ROUND(name)                                            \
	static bool round_##name(struct span in, struct buf *b) \
	{                                                      \
		static struct ipc_##name m;                    \
                                                               \
		if (ipc_##name##_decode(in, &m) == -1)         \
			return false;                          \
		ipc_##name##_encode(b, &m);                    \
		return true;                                   \
	}

ROUND(role)
ROUND(listen)
ROUND(peer)
ROUND(map)
ROUND(cert)
ROUND(dir)
ROUND(tickets)
ROUND(worker)
ROUND(worker_is)
ROUND(session)
ROUND(session_is)
ROUND(spool_open)
ROUND(spool_is)
ROUND(submit)
ROUND(submit_is)
ROUND(spool_abort)
ROUND(job)
ROUND(job_is)
ROUND(auth)
ROUND(auth_is)
ROUND(dns)
ROUND(dns_is)
ROUND(ctl)
ROUND(ctl_end)

typedef bool round_fn(struct span, struct buf *);

static const struct {
	enum ipc_type type;
	round_fn *round;
} codecs[] = {
	{ IPC_ROLE, round_role },
	{ IPC_LISTEN, round_listen },
	{ IPC_PEER, round_peer },
	{ IPC_MAP, round_map },
	{ IPC_CERT, round_cert },
	{ IPC_DIR, round_dir },
	{ IPC_TICKETS, round_tickets },
	{ IPC_WORKER, round_worker },
	{ IPC_WORKER_IS, round_worker_is },
	{ IPC_SESSION, round_session },
	{ IPC_SESSION_IS, round_session_is },
	{ IPC_PEER_LOST, round_peer },
	{ IPC_SPOOL_OPEN, round_spool_open },
	{ IPC_SPOOL_IS, round_spool_is },
	{ IPC_SUBMIT, round_submit },
	{ IPC_SUBMIT_IS, round_submit_is },
	{ IPC_SPOOL_ABORT, round_spool_abort },
	{ IPC_JOB, round_job },
	{ IPC_JOB_IS, round_job_is },
	{ IPC_AUTH, round_auth },
	{ IPC_AUTH_IS, round_auth_is },
	{ IPC_DNS, round_dns },
	{ IPC_DNS_IS, round_dns_is },
	{ IPC_CTL, round_ctl },
	{ IPC_CTL_END, round_ctl_end },
};

static void
check(round_fn *round, struct span in)
{
	struct buf b, longer;

	buf_init(&b, IPC_BODY_MAX);
	if (round(in, &b)) {
		assert(!b.bad && span_eq(in, buf_get(&b)));
		assert(!round(span_slice(in, 0, in.n - 1), &b));
		buf_init(&longer, IPC_PACKET_MAX);
		buf_span(&longer, in);
		buf_char(&longer, '\0');
		assert(!round(buf_get(&longer), &b));
		buf_fini(&longer);
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	uint16_t type;
	size_t i;

	if (get_u16(&in, &type) == -1 || in.n > IPC_BODY_MAX)
		return 0;
	for (i = 0; i < nitems(codecs); i++)
		if (codecs[i].type == type)
			check(codecs[i].round, in);
	return 0;
}
