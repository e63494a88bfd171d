# Postern: the one build file; its object lists are the table of contents.
# For GNU make and bmake. `make`, `make install DESTDIR=... PREFIX=...`,
# `make check`, `make fuzz`, `make bench`, `make clean`.
# Sanitizers: `make SAN=address,undefined` builds *.san.o and PROG.san beside
# the normal ones.

VERSION = 0.1
PREFIX = /usr/local
SYSCONFDIR = /etc/postern
LOCALSTATEDIR = /var
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
LIBEXECDIR = $(PREFIX)/libexec/postern
MANDIR = $(PREFIX)/share/man
EXAMPLEDIR = $(PREFIX)/share/postern
DESTDIR =

CC = cc
SAN =
WERROR =
OPT = -O2 -g
CFLAGS = $(OPT)
CPPFLAGS =
LDFLAGS =

S = $(SAN:%=.san)
SANFLAGS = $(SAN:%=-fsanitize=%) $(SAN:%=-fno-sanitize-recover=all) \
	$(SAN:%=-fno-omit-frame-pointer) $(SAN:%=-DSANITIZED)

# What this compiler and this system have: hardening flags, library places.
PROBED != sh conf/probe.sh '$(CC)' '$(SAN)'
LIBPLACES != sh conf/probe.sh --libs

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 $(WERROR)
PATHS = -DPOSTERN_VERSION='"$(VERSION)"' \
	-DPATH_CONF='"$(SYSCONFDIR)/postern.conf"' \
	-DPATH_MAPS='"$(SYSCONFDIR)"' \
	-DPATH_SPOOL='"$(LOCALSTATEDIR)/spool/postern"' \
	-DPATH_MAIL='"$(LOCALSTATEDIR)/vmail"' \
	-DPATH_RUN='"$(LOCALSTATEDIR)/run/postern"' \
	-DPATH_LIBEXEC='"$(LIBEXECDIR)"'
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(PATHS) $(WARN) $(PROBED) \
	$(SANFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(PROBED) $(SANFLAGS) $(LDFLAGS)

# One mechanism a file. No program needs all of it; the linker takes what is
# called.
LIB_OBJS = lib/span$S.o lib/buf$S.o lib/chars$S.o lib/die$S.o lib/log$S.o \
	lib/reply$S.o lib/role$S.o lib/qid$S.o lib/crc$S.o lib/hash$S.o \
	lib/addr$S.o lib/header$S.o lib/base64$S.o lib/sasl$S.o \
	lib/ipc$S.o lib/ipc_setup$S.o lib/ipc_mail$S.o lib/ipc_job$S.o \
	lib/ipc_auth$S.o lib/ipc_ctl$S.o \
	lib/loop$S.o lib/conn$S.o lib/net$S.o lib/tls$S.o lib/tally$S.o \
	lib/conf$S.o lib/conf_keys$S.o lib/map$S.o lib/map_cdb$S.o \
	lib/account$S.o lib/resolve$S.o lib/maildir$S.o lib/proto$S.o \
	lib/spool$S.o lib/smtp_data$S.o lib/sandbox$S.o lib/daemon$S.o \
	lib/os_linux$S.o lib/os_bsd$S.o lib/os_poll$S.o

MASTER_OBJS = master/main$S.o
SMTPD_OBJS = smtpd/main$S.o
QUEUE_OBJS = queue/main$S.o
DELIVER_OBJS = deliver/main$S.o
LOGIN_OBJS = login/main$S.o
POP3D_OBJS = pop3d/main$S.o
AUTH_OBJS = auth/main$S.o
CTL_OBJS = ctl/main$S.o

LIB = lib/libpostern$S.a
DAEMONS = master/master$S smtpd/smtpd$S queue/queue$S deliver/deliver$S \
	login/login$S pop3d/pop3d$S auth/auth$S
TOOLS = ctl/postern$S
PROGRAMS = $(DAEMONS) $(TOOLS)

all: $(PROGRAMS)
	@cat */*.d */*/*.d >.depend 2>/dev/null || true

.SUFFIXES: .c $S.o
.c$S.o:
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(LIB): $(LIB_OBJS)
	rm -f $@
	ar rcs $@ $(LIB_OBJS)

L_TLS = -lssl -lcrypto
L_CDB = -lcdb
L_BSD = -lbsd
L_CRYPT = -lcrypt
LINK = $(CC) $(ALL_LDFLAGS) -o $@

master/master$S: $(MASTER_OBJS) $(LIB)
	$(LINK) $(MASTER_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_BSD)
smtpd/smtpd$S: $(SMTPD_OBJS) $(LIB)
	$(LINK) $(SMTPD_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_BSD)
queue/queue$S: $(QUEUE_OBJS) $(LIB)
	$(LINK) $(QUEUE_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_BSD)
deliver/deliver$S: $(DELIVER_OBJS) $(LIB)
	$(LINK) $(DELIVER_OBJS) $(LIB) $(LIBPLACES) $(L_BSD)
login/login$S: $(LOGIN_OBJS) $(LIB)
	$(LINK) $(LOGIN_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_BSD)
pop3d/pop3d$S: $(POP3D_OBJS) $(LIB)
	$(LINK) $(POP3D_OBJS) $(LIB) $(LIBPLACES) $(L_BSD)
auth/auth$S: $(AUTH_OBJS) $(LIB)
	$(LINK) $(AUTH_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_CRYPT) $(L_BSD)
ctl/postern$S: $(CTL_OBJS) $(LIB)
	$(LINK) $(CTL_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_CRYPT) $(L_BSD)

# Unit tests: t/unit/NOUN.c, TAP on standard output; each links the library.
UNIT = t/unit/span$S.t

unit: $(UNIT)
$(UNIT): $(LIB)
.SUFFIXES: $S.t
$S.o$S.t:
	$(LINK) $< $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_CRYPT) $(L_BSD)

clean:
	rm -f */*.o */*.d */*/*.o */*/*.d lib/*.a t/unit/*.t .depend \
	    $(PROGRAMS)

.PHONY: all unit clean

-include .depend
