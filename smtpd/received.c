/*
 * received: our trace header, RFC 5321 4.4. LF lines, as all bodies inside.
 *
 *	Received: from HELO ([192.0.2.1])
 *		by mx.example.org with ESMTPS id QID
 *		(TLSv1.3 TLS_AES_256_GCM_SHA384)
 *		for <ann@example.org>;
 *		Sat, 21 Nov 2026 08:37:00 +0000
 *
 * Invariants: HELO was checked to be of a host name's characters; addresses
 * are canonical. Who logged in is not told to the world, only that somebody
 * did ("ESMTPSA"). The id is the queue's, which is only known when the queue
 * has the message: a small one comes to it with the session's, of the same
 * length, and is told where it stands (lib/ipc_mail.h); for a large one
 * smtpd/submit.c writes it when it has its file. "for" only stands there with
 * a single recipient: others may be blind copies (RFC 5321 7.2).
 */
#include "smtpd/received.h"

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/header.h"
#include "lib/tls.h"
#include "smtpd/mail.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

static void
write_from(struct buf *b, const struct session *s)
{
	if (s->service->local)
		return; /* nobody came over a network */
	buf_str(b, "from ");
	buf_str(b, s->helo);
	/* RFC 5321 4.1.3: an address literal names its kind but for IPv4. */
	buf_str(b, s->addr.sa.sa_family == AF_INET6 ? " ([IPv6:" : " ([");
	buf_str(b, s->client);
	buf_str(b, "])\n\t");
}

static void
write_by(struct buf *b, const struct session *s, size_t *id_at)
{
	const struct tls *tls = conn_tls(s->conn);

	buf_str(b, "by ");
	buf_str(b, server.conf->hostname);
	buf_str(b, s->service->local ? " (local) with " : " with ");
	buf_str(b, mail_protocol(s));
	buf_str(b, " id ");
	*id_at = b->n;
	buf_str(b, s->sid);
	if (tls != NULL) {
		buf_str(b, "\n\t(");
		buf_str(b, tls_version(tls));
		buf_char(b, ' ');
		buf_str(b, tls_cipher(tls));
		buf_char(b, ')');
	}
}

void
received_write(const struct session *s, struct mail *m)
{
	struct buf *b = &m->body;

	buf_str(b, "Received: ");
	write_from(b, s);
	write_by(b, s, &m->id_at);
	if (m->nrcpt == 1) {
		buf_str(b, "\n\tfor <");
		buf_span(b, mail_rcpt(m, 0));
		buf_char(b, '>');
	}
	buf_str(b, ";\n\t");
	header_date(b, m->arrived);
	buf_char(b, '\n');
}
