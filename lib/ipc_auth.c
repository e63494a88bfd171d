/*
 * ipc_auth: credentials and verdicts. Names and passwords are bytes here;
 * auth decides which bytes a name may have.
 */
#include "lib/ipc_auth.h"

#include "lib/limits.h"

enum {
	AUTH_WORD_MAX = 15,
	AUTH_WHY_MAX = 511,
	AUTH_INPUT_MAX = SMALL_BODY_MAX,
};

void
ipc_auth_encode(struct buf *b, const struct ipc_auth *m)
{
	put_span(b, m->service);
	put_span(b, m->authzid);
	put_span(b, m->authcid);
	put_span(b, m->password);
	put_span(b, m->remote);
	put_span(b, m->sid);
	put_span(b, m->input);
	put_span(b, m->tag);
}

int
ipc_auth_decode(struct span in, struct ipc_auth *out)
{
	struct ipc_auth m;

	if (get_text(&in, &m.service, AUTH_WORD_MAX) == -1 ||
	    get_span(&in, &m.authzid, AUTH_NAME_MAX) == -1 ||
	    get_span(&in, &m.authcid, AUTH_NAME_MAX) == -1 ||
	    get_span(&in, &m.password, AUTH_PASSWORD_MAX) == -1 ||
	    get_text(&in, &m.remote, HOST_MAX) == -1 ||
	    get_text(&in, &m.sid, SID_MAX) == -1 ||
	    get_span(&in, &m.input, AUTH_INPUT_MAX) == -1 ||
	    get_text(&in, &m.tag, IMAP_TAG_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}

void
ipc_auth_is_encode(struct buf *b, const struct ipc_auth_is *m)
{
	put_u32(b, m->verdict);
	put_span(b, m->user);
	put_cut(b, m->why, AUTH_WHY_MAX);
}

int
ipc_auth_is_decode(struct span in, struct ipc_auth_is *out)
{
	struct ipc_auth_is m;

	if (get_u32(&in, &m.verdict) == -1 || m.verdict > AUTH_FULL ||
	    get_text(&in, &m.user, AUTH_NAME_MAX) == -1 ||
	    get_span(&in, &m.why, AUTH_WHY_MAX) == -1 || in.n != 0)
		return -1;
	*out = m;
	return 0;
}
