/* pop3: the AUTHORIZATION state of RFC 1939; after it pop3d speaks. */
#ifndef LOGIN_POP3_H
#define LOGIN_POP3_H

#include "login/front.h"

extern const struct protocol pop3;

#endif
