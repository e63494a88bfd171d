/* question: from its packet to the answer. */
#include "dns/question.h"

#include "lib/ipc_dns.h"

int
question_take(struct ipc *peer, struct ipc_msg *m, void *arg)
{
	static struct ipc_dns_is is; /* large */
	struct ipc_dns q;
	struct buf out;

	(void)arg;
	if (m->type != IPC_DNS || ipc_dns_decode(m->body, &q) == -1)
		return -1;
	is = (struct ipc_dns_is){ .status = DNS_TEMP, .canonical = q.name,
		.why = SPAN("no resolver yet") };
	buf_init(&out, IPC_BODY_MAX);
	ipc_dns_is_encode(&out, &is);
	(void)ipc_send(peer, IPC_DNS_IS, m->id, buf_get(&out), -1, -1);
	buf_fini(&out);
	return 0;
}

void
question_forget(const struct ipc *peer)
{
	(void)peer;
}
