/*
 * replies: see replies.h. Codes: RFC 5321 4.2; enhanced codes: RFC 3463.
 */
#include "queue/replies.h"

#include <errno.h>

#include "lib/envelope.h"
#include "lib/ipc.h"
#include "lib/ipc_mail.h"
#include "lib/log.h"

const struct reply R_QUEUED = { 250, "2.0.0", "queued" };
const struct reply R_SPACE = { 452, "4.3.1",
	"insufficient system storage, try again later" };
const struct reply R_TROUBLE = { 451, "4.3.0",
	"local trouble, try again later" };
const struct reply R_MAPS = { 451, "4.3.0",
	"recipient cannot be looked up, try again later" };
const struct reply R_WIDE = { 452, "4.5.3",
	"too many final recipients, send fewer at once" };

const struct reply *
reply_of_errno(int e)
{
	return e == ENOSPC || e == EDQUOT ? &R_SPACE : &R_TROUBLE;
}

void
reply_log(const struct envelope *e, const struct reply *r, int errnum)
{
	log_begin(errnum != 0 ? LL_ERROR : LL_WARN, "refused");
	if (e != NULL) {
		log_span("sid", e->sid);
		log_span("from", e->sender);
	}
	log_num("code", (uint64_t)r->code);
	log_str("what", r->text);
	if (errnum != 0)
		log_err(errnum);
	log_end();
}

void
reply_submit(struct ipc *to, uint32_t id, uint64_t qid, const struct reply *r)
{
	struct ipc_submit_is is = { qid, (uint32_t)r->code,
		span_str(r->enhanced), span_str(r->text) };
	struct buf b;

	if (to == NULL)
		return;
	buf_init(&b, 1024);
	ipc_submit_is_encode(&b, &is);
	(void)ipc_send(to, IPC_SUBMIT_IS, id, buf_get(&b), -1, -1);
	buf_fini(&b);
}

int
reply_spool(
    struct ipc *to, uint32_t id, uint64_t qid, int fd, const struct reply *r)
{
	struct ipc_spool_is is = { .qid = qid };
	struct buf b;
	int rc;

	if (r != NULL) {
		is.code = (uint32_t)r->code;
		is.enhanced = span_str(r->enhanced);
		is.text = span_str(r->text);
	}
	buf_init(&b, 1024);
	ipc_spool_is_encode(&b, &is);
	rc = ipc_send(to, IPC_SPOOL_IS, id, buf_get(&b), fd, -1);
	buf_fini(&b);
	return rc;
}
