/*
 * smtp_data: the framing of a message after DATA, RFC 5321 4.1.1.4, 4.5.2;
 * one automaton for smtpd and relay. Only CR LF . CR LF ends it. A bare CR,
 * a bare LF or a NUL inside is remembered and refused after the true end
 * (never in the middle: CVE-2023-51764 and kin).
 */
#ifndef LIB_SMTP_DATA_H
#define LIB_SMTP_DATA_H

#include "lib/buf.h"

struct smtp_data { /* zeroed is the start */
	int state;
	bool done;      /* the final CR LF . CR LF was seen */
	bool bare_cr, bare_lf, nul;
	uint64_t octets; /* as on the wire, dots unstuffed, end excluded */
};

/*
 * Takes bytes off the wire, appends the message with LF lines, unstuffed,
 * to out; returns how many bytes of in were used (less than in.n only when
 * done). out must have room for in.n + 2 bytes, or goes bad.
 */
size_t smtp_data_in(struct smtp_data *, struct span in, struct buf *out);

struct smtp_data_out { /* zeroed is the start */
	int state;
};

/*
 * The other way, for the wire: LF (and CR LF) to CR LF, bare CR never sent
 * (dropped), dots stuffed. smtp_data_end() adds a missing last line end and
 * the final dot. POP3's RETR uses the same.
 */
void smtp_data_out(struct smtp_data_out *, struct span in, struct buf *out);
void smtp_data_end(struct smtp_data_out *, struct buf *out);

#endif
