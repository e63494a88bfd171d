/* received: our trace header, RFC 5321 4.4. */
#ifndef SMTPD_RECEIVED_H
#define SMTPD_RECEIVED_H

struct mail;
struct session;

/*
 * Appends "Received: ..." with its LFs to the body, and notes in the mail where
 * the id stands: it is the session's until the queue's takes its place.
 */
void received_write(const struct session *, struct mail *);

#endif
