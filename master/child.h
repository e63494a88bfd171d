/*
 * child: the processes that are alive, and the seats: places in the house
 * that must always be taken. A child that dies leaves its seat, which is
 * filled again after a while that grows with each failure.
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <sys/types.h>

#include "lib/buf.h"
#include "lib/ipc.h"
#include "lib/loop.h"
#include "lib/role.h"

struct generation;

struct seat {
	struct seat *next;
	enum role role;
	unsigned index, count;
	struct generation *gen; /* whose configuration its children get */
	struct child *child;    /* NULL: empty, `again` is set */
	bool stem;              /* master/stem.h */
	unsigned failures;      /* in a row */
	struct timer again;
};

struct child {
	struct child *next;
	uint64_t serial; /* grows; the list begins with the youngest */
	pid_t pid;
	enum role role;
	unsigned index, generation;
	struct seat *seat; /* NULL: worker, session, or draining */
	struct ipc *ipc;   /* NULL: the channel is gone, the process will be */
	uid_t uid;
	gid_t gid;
	bool ready, flawed, stopping, chrooted;
	bool stem;         /* forks sessions, is none (master/stem.h) */
	struct birth {     /* of a session that a stem forks */
		struct child *stem; /* NULL: it is born, pid is known */
		uint32_t id;        /* of our question to the stem */
		pid_t asker;        /* auth's process ... */
		uint32_t asked;     /* ... and its question */
		int signal;         /* that it is to get then; 0 */
	} birth;
	unsigned forks;    /* a stem's, so far */
	bool asked;        /* whether it turns; no answer yet, */
	unsigned silent;   /* for so many rounds: master/watch.h */
	bool told;         /* the log, that it is stopped */
	bool log_waits;    /* in its channel, it is to hear: master/journal.c */
	char *user, *root, *login; /* owner's processes; else NULL */
	char *client, *sid;        /* sessions; else NULL */
	uint64_t since;            /* loop clock */
	int64_t since_wall;        /* s */
	struct timer deadline;     /* READY, or the end, or SIGKILL */
	unsigned lost;             /* roles whose channel has ended, bits */
	uint64_t lost_at;          /* loop clock */
	struct timer rejoin;
};

extern struct child *children;
extern struct seat *seats;

/* Takes fd, the channel. The caller sends the set-up. pid 0: not born yet. */
struct child *child_new(enum role, pid_t, int fd);
/* It is born; perhaps it has died already, and c is gone when this returns. */
void child_born(struct child *c, pid_t);
/* It will not be born. */
void child_forget(struct child *);

/* Sends, or gives up on a child that does not read. fds are borrowed. */
void child_send(struct child *, enum ipc_type, uint32_t id, const struct buf *,
    int fd0, int fd1);
/* now false: finish what is begun. Sessions get SIGTERM. */
void child_stop(struct child *, bool now);
/* SIGKILL, if it is still there after ms. */
void child_kill_after(struct child *, uint64_t ms);
/* Handler of SIGCHLD. */
void child_reap(int signo);

/* How many, stems apart; login NULL: any. */
unsigned children_count(enum role, const char *login);

struct seat *seat_new(
    enum role, unsigned index, unsigned count, struct generation *);
void seat_fill(struct seat *);
/* Its child, if any, stays, with no seat. */
void seat_free(struct seat *);
/* Fills it again later. */
void seat_again(struct seat *);

#endif
