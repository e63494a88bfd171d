/*
 * ipc_message: each message there and back, its limits a byte either side,
 * and what a decoder must not let pass. (lib/ipc_fuzz.c has every prefix.)
 */
#include <stdlib.h>
#include <string.h>

#include "lib/ipc_auth.h"
#include "lib/ipc_ctl.h"
#include "lib/ipc_job.h"
#include "lib/ipc_mail.h"
#include "lib/ipc_setup.h"
#include "lib/qid.h"
#include "lib/tls.h"
#include "t/unit/tap.h"

static struct buf b;

static struct span
filled(size_t n)
{
	static char bytes[128 * 1024];

	memset(bytes, 'x', sizeof(bytes));
	return span_of(bytes, n);
}

/* Encodes in; decodes into out; says whether the decoder took it. */
#define PASSES(name, in, out)                         \
	(buf_clear(&b), ipc_##name##_encode(&b, (in)), \
	    !b.bad && ipc_##name##_decode(buf_get(&b), (out)) == 0)

static void
test_submit(void)
{
	static struct ipc_submit m, got;
	size_t i;

	m.env = (struct envelope){ .arrived = 1795250220,
		.sender = SPAN("ann@x.org"), .sid = SPAN("8Kq2M"),
		.client = SPAN("192.0.2.1"), .helo = SPAN("mx"),
		.protocol = SPAN("ESMTPSA"), .login = SPAN("ann"),
		.flags = ENV_8BITMIME, .nrcpt = 2,
		.rcpt = { SPAN("bob@x.org"), SPAN("\"b o\"@x.org") } };
	m.body = SPAN("Received: x\n\nhi\0\n");
	m.size = m.body.n;
	m.crc = 0xfedcba98;
	ok(PASSES(submit, &m, &got), "a small message");
	ok(span_eq(got.body, m.body) && got.crc == m.crc &&
	        got.size == m.size && got.qid == 0 &&
	        got.env.arrived == m.env.arrived &&
	        got.env.flags == m.env.flags && got.env.nrcpt == 2 &&
	        span_eq(got.env.sender, m.env.sender) &&
	        span_eq(got.env.sid, m.env.sid) &&
	        span_eq(got.env.client, m.env.client) &&
	        span_eq(got.env.helo, m.env.helo) &&
	        span_eq(got.env.protocol, m.env.protocol) &&
	        span_eq(got.env.login, m.env.login) &&
	        span_eq(got.env.rcpt[1], m.env.rcpt[1]), "comes as it went");
	m.size++;
	ok(!PASSES(submit, &m, &got), "its size must be true");
	m.size--;
	m.id_at = (uint32_t)m.body.n - QID_LEN;
	ok(PASSES(submit, &m, &got) && got.id_at == m.id_at,
	    "the place of an id");
	m.id_at++;
	ok(!PASSES(submit, &m, &got), "which is inside the body");
	m.id_at = 0;
	m.qid = 5;
	ok(!PASSES(submit, &m, &got), "a spool file or a body, not both");
	m.body = SPAN_NONE;
	m.env.nrcpt = 0;
	ok(PASSES(submit, &m, &got), "a message in a spool file");
	m.qid = 0;
	m.size = 0;
	ok(!PASSES(submit, &m, &got), "mail for nobody");

	m.env.nrcpt = 1;
	m.env.rcpt[0] = SPAN("bob\n@x.org");
	ok(!PASSES(submit, &m, &got), "a line end in a recipient");
	m.env.rcpt[0] = SPAN_NONE;
	ok(!PASSES(submit, &m, &got), "an empty recipient");
	m.env.rcpt[0] = filled(SMTP_PATH_MAX + 1);
	ok(!PASSES(submit, &m, &got), "a recipient too long");
	m.env.rcpt[0] = SPAN("bob@x.org");
	m.env.helo = SPAN("a\0b");
	ok(!PASSES(submit, &m, &got), "NUL in the client's name");
	m.env.helo = SPAN("mx");
	m.env.sender = SPAN("a\rb@x");
	ok(!PASSES(submit, &m, &got), "CR in the sender");
	m.env.sender = SPAN_NONE;
	ok(PASSES(submit, &m, &got), "the null sender");
	m.env.flags = 1 << 30;
	ok(!PASSES(submit, &m, &got), "a flag nobody knows");
	m.env.flags = 0;
	m.env.arrived = -1;
	ok(!PASSES(submit, &m, &got), "a time before the epoch");

	m.env.arrived = 0;
	m.env.nrcpt = SMTP_RCPT_MAX;
	for (i = 0; i < SMTP_RCPT_MAX; i++)
		m.env.rcpt[i] = filled(SMTP_PATH_MAX);
	m.env.sender = filled(SMTP_PATH_MAX);
	m.env.helo = filled(SMTP_LINE_MAX);
	m.body = filled(SMALL_BODY_MAX);
	m.size = m.body.n;
	ok(PASSES(submit, &m, &got) && b.n <= IPC_BODY_MAX,
	    "the largest of all fits into a packet");
	m.body = filled(SMALL_BODY_MAX + 1);
	m.size = m.body.n;
	ok(!PASSES(submit, &m, &got), "a body a byte too long does not");
}

static void
test_mail(void)
{
	struct ipc_submit_is m = { 7, 250, SPAN("2.0.0"), SPAN("ok") }, got;
	struct ipc_spool_is s = { 7, 0, SPAN_NONE, SPAN_NONE }, sgot;
	struct ipc_spool_abort a = { UINT64_MAX }, agot;

	ok(PASSES(submit_is, &m, &got) && got.qid == 7 && got.code == 250 &&
	        span_eq(got.text, SPAN("ok")), "submit_is");
	m.text = filled(1000);
	ok(PASSES(submit_is, &m, &got) && got.text.n == 511,
	    "a long text is cut, not refused");
	m.code = 0;
	ok(!PASSES(submit_is, &m, &got), "no verdict");
	m.code = 600;
	ok(!PASSES(submit_is, &m, &got), "a code that is none");
	ok(PASSES(spool_is, &s, &sgot) && sgot.qid == 7, "spool_is");
	s.code = 199;
	ok(!PASSES(spool_is, &s, &sgot), "likewise");
	ok(PASSES(spool_abort, &a, &agot) && agot.qid == UINT64_MAX,
	    "spool_abort");
}

static void
test_job(void)
{
	static struct ipc_job m, got;
	static struct ipc_job_is r, rgot;
	size_t i;

	m = (struct ipc_job){ .qid = 7, .arrived = 5, .sender = SPAN("a@b"),
		.sid = SPAN("x"), .offset = 3, .size = 2, .body = SPAN("h\n"),
		.nrcpt = 1 };
	m.rcpt[0] = (struct ipc_job_rcpt){ 4, SPAN("b@c"), SPAN("B@c"),
		SPAN("c/b/Maildir") };
	ok(PASSES(job, &m, &got) && got.qid == 7 && got.arrived == 5 &&
	        got.offset == 3 && got.size == 2 && got.nrcpt == 1 &&
	        got.rcpt[0].index == 4 &&
	        span_eq(got.rcpt[0].original, SPAN("B@c")) &&
	        span_eq(got.rcpt[0].mailbox, SPAN("c/b/Maildir")), "a job");
	m.offset = INT64_MAX;
	ok(!PASSES(job, &m, &got), "an end beyond any file");
	m.offset = 0;
	m.nrcpt = 0;
	ok(!PASSES(job, &m, &got), "a job for nobody");
	m.nrcpt = JOB_RCPT_MAX;
	for (i = 0; i < JOB_RCPT_MAX; i++)
		m.rcpt[i] = (struct ipc_job_rcpt){ 0, filled(SMTP_PATH_MAX),
			filled(SMTP_PATH_MAX), filled(PATH_LEN_MAX) };
	m.body = filled(SMALL_BODY_MAX);
	ok(PASSES(job, &m, &got) && b.n <= IPC_BODY_MAX, "the largest job");

	r.n = JOB_RESULT_MAX;
	for (i = 0; i < r.n; i++)
		r.result[i] = (struct ipc_result){ i, 1, 451, SPAN("4.2.2"),
			filled(600), ABOUT_HOST,
			SPAN("mx.d[192.0.2.1]:25") };
	ok(PASSES(job_is, &r, &rgot) && rgot.n == JOB_RESULT_MAX &&
	        rgot.result[9].qid == 9 && rgot.result[9].text.n == 511,
	    "results");
	r.result[3].code = 354;
	ok(!PASSES(job_is, &r, &rgot), "354 is no result");
	r.n = 0;
	ok(PASSES(job_is, &r, &rgot) && rgot.n == 0, "no result yet");
}

static void
test_setup(void)
{
	struct ipc_role m = { .role = ROLE_POP3D, .count = 1, .uid = 1000,
		.gid = 100, .user = SPAN("ann"), .root = SPAN("/home/ann"),
		.mailbox = SPAN("/home/ann/Maildir"), .sid = SPAN("x"),
		.input = SPAN("STAT\r\n"), .tag = SPAN("a1"),
		.log = SPAN("syslog") };
	struct ipc_role got;
	struct ipc_session s = { .service = ROLE_POP3D, .uid = 1000,
		.gid = 100 }, sgot;
	struct ipc_worker w = { 1000, 100, SPAN("ann"), SPAN("/home/ann") };
	struct ipc_worker wgot;
	struct ipc_peer p = { ROLE_QUEUE, 0 }, pgot;
	struct ipc_fork_is f = { 4711 }, fgot;

	ok(PASSES(role, &m, &got) && got.role == ROLE_POP3D &&
	        got.uid == 1000 && got.gid == 100 &&
	        span_eq(got.mailbox, m.mailbox) &&
	        span_eq(got.input, m.input) && span_eq(got.tag, m.tag) &&
	        span_eq(got.log, m.log), "role");
	m.tag = SPAN("a\r\nb");
	ok(!PASSES(role, &m, &got), "a line end in a tag");
	m.tag = filled(IMAP_TAG_MAX + 1);
	ok(!PASSES(role, &m, &got), "a tag too long");
	m.tag = SPAN_NONE;
	m.role = ROLE_COUNT;
	ok(!PASSES(role, &m, &got), "a role nobody has");
	m.role = ROLE_POP3D;
	m.uid = UINT32_MAX;
	ok(!PASSES(role, &m, &got), "the uid that means 'no change'");
	m.uid = (uint64_t)1 << 32;
	ok(!PASSES(role, &m, &got), "a uid that would wrap to root");
	m.uid = 1;
	m.root = SPAN("/home\0/x");
	ok(!PASSES(role, &m, &got), "NUL in a path");
	ok(PASSES(session, &s, &sgot) && sgot.service == ROLE_POP3D, "session");
	s.service = ROLE_SMTPD;
	ok(!PASSES(session, &s, &sgot), "a session of what has none");
	ok(PASSES(worker, &w, &wgot) && span_eq(wgot.root, w.root), "worker");
	w.gid = UINT64_MAX;
	ok(!PASSES(worker, &w, &wgot), "a gid that is none");
	ok(PASSES(fork_is, &f, &fgot) && fgot.pid == 4711, "fork_is");
	f.pid = 0;
	ok(PASSES(fork_is, &f, &fgot), "none could be made");
	f.pid = 1;
	ok(!PASSES(fork_is, &f, &fgot), "init is nobody's session");
	f.pid = UINT32_MAX;
	ok(!PASSES(fork_is, &f, &fgot), "what would be everybody");
	ok(PASSES(peer, &p, &pgot) && pgot.role == ROLE_QUEUE, "peer");
	p.index = 5000;
	ok(!PASSES(peer, &p, &pgot), "an index out of reach");
}

static void
test_auth_ctl(void)
{
	struct ipc_auth m = { SPAN("smtp"), SPAN_NONE, SPAN("ann"),
		SPAN("p\xffw"), SPAN("::1"), SPAN("x"), SPAN_NONE, SPAN_NONE }, got;
	struct ipc_auth_is i = { AUTH_FULL, SPAN_NONE, SPAN("later") };
	struct ipc_auth_is igot;
	static struct ipc_ctl c, cgot;
	struct ipc_ctl_end e = { 64, SPAN("usage") }, egot;

	ok(PASSES(auth, &m, &got) && span_eq(got.password, m.password) &&
	        span_eq(got.authcid, m.authcid), "auth");
	m.password = filled(AUTH_PASSWORD_MAX + 1);
	ok(!PASSES(auth, &m, &got), "a password too long");
	ok(PASSES(auth_is, &i, &igot) && igot.verdict == AUTH_FULL,
	    "auth_is");
	i.verdict++;
	ok(!PASSES(auth_is, &i, &igot), "a verdict that is none");
	c.argc = 2;
	c.argv[0] = SPAN("queue");
	c.argv[1] = SPAN_NONE;
	ok(PASSES(ctl, &c, &cgot) && cgot.argc == 2 && cgot.argv[1].n == 0,
	    "ctl");
	c.argc = 0;
	ok(!PASSES(ctl, &c, &cgot), "no verb");
	ok(PASSES(ctl_end, &e, &egot) && egot.status == 64, "ctl_end");
	e.status = 256;
	ok(!PASSES(ctl_end, &e, &egot), "no exit status");
}

static void
test_tickets(void)
{
	struct ipc_tickets m = { filled(TLS_TICKETS) }, got;

	ok(PASSES(tickets, &m, &got) && span_eq(got.keys, m.keys),
	    "ticket keys");
	m.keys = filled(TLS_TICKETS - 1);
	ok(!PASSES(tickets, &m, &got), "not one byte less");
	m.keys = filled(TLS_TICKETS + 1);
	ok(!PASSES(tickets, &m, &got), "or more");
}

int
main(void)
{
	buf_init(&b, IPC_BODY_MAX);
	test_submit();
	test_mail();
	test_job();
	test_setup();
	test_tickets();
	test_auth_ctl();
	buf_fini(&b);
	return done();
}
