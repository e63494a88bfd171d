/* ipc_ctl: what an administrator asks, and the exit status of the answer. */
#include "lib/ipc_ctl.h"

enum {
	CTL_ARG_MAX = 4096,
	CTL_WHY_MAX = 4096,
	CTL_STATUS_MAX = 255, /* exit(3) */
};

void
ipc_ctl_encode(struct buf *b, const struct ipc_ctl *m)
{
	size_t i;

	put_u32(b, (uint32_t)m->argc);
	for (i = 0; i < m->argc; i++)
		put_span(b, m->argv[i]);
}

int
ipc_ctl_decode(struct span in, struct ipc_ctl *out)
{
	struct ipc_ctl m = { 0 };
	uint32_t n;
	size_t i;

	if (get_u32(&in, &n) == -1 || n == 0 || n > CTL_ARGS_MAX)
		return -1;
	m.argc = n;
	for (i = 0; i < m.argc; i++)
		if (get_span(&in, &m.argv[i], CTL_ARG_MAX) == -1)
			return -1;
	if (in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_ctl_end_encode(struct buf *b, const struct ipc_ctl_end *m)
{
	put_u32(b, m->status);
	put_cut(b, m->why, CTL_WHY_MAX);
}

int
ipc_ctl_end_decode(struct span in, struct ipc_ctl_end *out)
{
	struct ipc_ctl_end m;

	if (get_u32(&in, &m.status) == -1 || m.status > CTL_STATUS_MAX ||
	    get_span(&in, &m.why, CTL_WHY_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}
