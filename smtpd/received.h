/* received: our trace header, RFC 5321 4.4. */
#ifndef SMTPD_RECEIVED_H
#define SMTPD_RECEIVED_H

struct buf;
struct mail;
struct session;

/* Appends "Received: ..." with its LFs. */
void received_write(struct buf *, const struct session *,
    const struct mail *);

#endif
