/*
 * resolv: the name servers of resolv.conf(5), as far as they can be asked by
 * address.
 */
#ifndef LIB_RESOLV_H
#define LIB_RESOLV_H

#include <netinet/in.h>

#include "lib/span.h"

struct resolv_address {
	char text[INET6_ADDRSTRLEN];
};

/*
 * Takes the next "nameserver" line off *text. False: none is left. Those that
 * are no address, or one with a zone ("fe80::1%eth0"), are passed over.
 */
bool resolv_next(struct span *text, struct resolv_address *);

#endif
