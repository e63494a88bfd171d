/*
 * house: the state of the whole, and its coming and going. There is one
 * house in a process, so no handle is passed around.
 *
 *	STARTING --all ready--> UP --TERM, "postern stop"--> STOPPING --> exit
 *	    |                    ^ |
 *	    |                    +-+ reload (master/reload.c)
 *	    +--a child fails again and again--> STOPPING
 */
#ifndef MASTER_HOUSE_H
#define MASTER_HOUSE_H

#include <stdbool.h>

struct generation;
struct seat;

enum house_state { HOUSE_STARTING, HOUSE_UP, HOUSE_STOPPING };

struct house {
	enum house_state state;
	const char *conf_path;
	bool privileged;
	struct generation *now;  /* what is in force */
	struct generation *next; /* what a reload tries; else NULL */
	int ready_fd;            /* told once when all are ready; or -1 */
	int status;              /* of exit(3), when it is over */
	long long started;       /* wall clock, s */
};

extern struct house house;

/* Spawns everybody of house.now. */
void house_start(void);
/* Ends everybody, in order, then the loop. status: of exit(3). */
void house_stop(int status);
/* A child is ready: what now? */
void house_child_ready(void);
/* One is gone, out of the list already; seat: the one it left, or NULL. */
void house_child_gone(struct seat *);

#endif
