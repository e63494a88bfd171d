# Postern: the one build file; its object lists are the table of contents.
# For GNU make and bmake.
#
#	make				everything that is installed
#	make install			DESTDIR=, PREFIX=; no root needed
#	make uninstall			what install put there
#	make check			unit tests and dialogues, a minute
#	make fuzz			every parser, FUZZ_SECONDS each (clang)
#	make bench			numbers; see t/bench
#	make lint			cppcheck, clang-tidy, shellcheck
#	make dist			the tarball
#	make SAN=address,undefined	*.san.o and PROG.san beside the others
#
# Everything: ./setup check.

VERSION = 0.1
PREFIX = /usr/local
SYSCONFDIR = /etc/postern
LOCALSTATEDIR = /var
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
LIBEXECDIR = $(PREFIX)/libexec/postern
MANDIR = $(PREFIX)/share/man
EXAMPLEDIR = $(PREFIX)/share/postern
UNITDIR = $(PREFIX)/lib/systemd/system
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
# Header dependencies, as the compiler wrote them the last time.
DEPENDED != cat */*.d */*/*.d >.depend 2>/dev/null; echo

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 $(WERROR)
PATHS = -DPOSTERN_VERSION='"$(VERSION)"' \
	-DPATH_CONF='"$(SYSCONFDIR)/postern.conf"' \
	-DPATH_MAPS='"$(SYSCONFDIR)"' \
	-DPATH_SPOOL='"$(LOCALSTATEDIR)/spool/postern"' \
	-DPATH_MAIL='"$(LOCALSTATEDIR)/vmail"' \
	-DPATH_RUN='"$(LOCALSTATEDIR)/run/postern"' \
	-DPATH_LIBEXEC='"$(LIBEXECDIR)"'
# Built for other places before? Then what knows them is made anew.
PLACED != echo $(PATHS) | cmp -s - lib/places.made || \
	echo $(PATHS) >lib/places.made; echo
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(PATHS) $(WARN) $(PROBED) \
	$(SANFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(PROBED) $(SANFLAGS) $(LDFLAGS)

# One mechanism a file. No program needs all of it; the linker takes what is
# called.
LIB_OBJS = lib/accept$S.o lib/account$S.o lib/addr$S.o lib/address_list$S.o \
	lib/aliases$S.o lib/base64$S.o lib/buf$S.o lib/chars$S.o \
	lib/charset$S.o lib/charset_table$S.o lib/clock$S.o lib/conf$S.o \
	lib/conf_inet$S.o lib/conf_keys$S.o lib/conf_list$S.o \
	lib/conf_type$S.o lib/conn$S.o lib/conn_input$S.o lib/conn_proxy$S.o \
	lib/content$S.o lib/crc$S.o lib/daemon$S.o lib/daemon_drop$S.o \
	lib/daemon_log$S.o lib/daemon_session$S.o lib/daemon_setup$S.o \
	lib/daemon_stem$S.o lib/daemon_tls$S.o lib/decode$S.o lib/die$S.o \
	lib/dns_answer$S.o lib/dns_message$S.o lib/dns_name$S.o lib/doors$S.o \
	lib/encode$S.o lib/encoded_word$S.o lib/fold$S.o lib/fold_table$S.o \
	lib/folder_name$S.o lib/folders$S.o lib/folders_change$S.o \
	lib/folders_first$S.o lib/folders_subscribed$S.o lib/folders_use$S.o \
	lib/hash$S.o lib/header$S.o lib/hops$S.o lib/imap_date$S.o \
	lib/imap_out$S.o lib/imap_set$S.o lib/imap_token$S.o lib/ipc$S.o \
	lib/ipc_auth$S.o lib/ipc_ctl$S.o lib/ipc_dns$S.o lib/ipc_field$S.o \
	lib/ipc_job$S.o lib/ipc_mail$S.o lib/ipc_setup$S.o lib/json$S.o \
	lib/lock$S.o lib/log$S.o lib/log_out$S.o lib/loop$S.o lib/mailbox$S.o \
	lib/mailbox_cache$S.o lib/mailbox_change$S.o lib/mailbox_delivered$S.o \
	lib/mailbox_found$S.o lib/mailbox_index$S.o lib/mailbox_log$S.o \
	lib/mailbox_look$S.o lib/mailbox_map$S.o lib/mailbox_name$S.o \
	lib/mailbox_new$S.o lib/mailbox_rotate$S.o lib/mailbox_scan$S.o \
	lib/mailbox_state$S.o lib/mailbox_sync$S.o lib/mailbox_table$S.o \
	lib/mailbox_validity$S.o lib/maildir$S.o lib/map$S.o lib/map_cdb$S.o \
	lib/map_text$S.o lib/mime$S.o lib/mime_field$S.o lib/mutf7$S.o \
	lib/net$S.o lib/os_bsd$S.o lib/os_file$S.o lib/os_linux$S.o \
	lib/os_linux_calls$S.o lib/os_loop_epoll$S.o lib/os_loop_kqueue$S.o \
	lib/os_loop_poll$S.o lib/os_watch$S.o lib/parameter$S.o \
	lib/part_text$S.o lib/password$S.o lib/pending$S.o lib/proto$S.o \
	lib/qid$S.o lib/recode$S.o lib/recode_header$S.o lib/recode_plan$S.o \
	lib/relay_passwords$S.o lib/reply$S.o lib/resolv$S.o lib/resolve$S.o \
	lib/role$S.o lib/sandbox$S.o lib/sasl$S.o lib/search_key$S.o \
	lib/sent_day$S.o lib/smtp_data$S.o lib/smtp_reply$S.o lib/span$S.o \
	lib/spool$S.o lib/structure$S.o lib/structure_out$S.o \
	lib/structure_read$S.o lib/tally$S.o lib/text$S.o lib/text_map$S.o \
	lib/tls$S.o lib/tls_policy$S.o lib/transport$S.o lib/transport_map$S.o \
	lib/transport_of$S.o lib/users$S.o lib/users_map$S.o

MASTER_OBJS = master/main$S.o master/child$S.o master/connect$S.o \
	master/ctl$S.o master/generation$S.o master/house$S.o \
	master/journal$S.o master/listen$S.o master/maps$S.o master/place$S.o \
	master/reload$S.o master/spawn$S.o master/stem$S.o master/tickets$S.o \
	master/topology$S.o master/watch$S.o master/who$S.o master/worker$S.o
SMTPD_OBJS = smtpd/main$S.o smtpd/cmd_auth$S.o smtpd/cmd_data$S.o \
	smtpd/cmd_hello$S.o smtpd/cmd_mail$S.o smtpd/cmd_misc$S.o \
	smtpd/cmd_rcpt$S.o smtpd/commands$S.o smtpd/guest$S.o smtpd/mail$S.o \
	smtpd/peers$S.o smtpd/received$S.o smtpd/replies$S.o smtpd/sender$S.o \
	smtpd/session$S.o smtpd/submit$S.o
QUEUE_OBJS = queue/main$S.o queue/admit$S.o queue/ages$S.o queue/allowance$S.o \
	queue/batch$S.o queue/bounce$S.o queue/change$S.o queue/ctl$S.o \
	queue/destination$S.o queue/intake$S.o queue/job$S.o queue/litter$S.o \
	queue/message$S.o queue/relay$S.o queue/replies$S.o queue/request$S.o \
	queue/route$S.o queue/scan$S.o queue/schedule$S.o queue/select$S.o \
	queue/settle$S.o queue/show$S.o queue/store$S.o queue/unsaved$S.o \
	queue/upload$S.o queue/wait$S.o queue/worker$S.o
DELIVER_OBJS = deliver/main$S.o deliver/box$S.o deliver/job$S.o \
	deliver/outcome$S.o deliver/store$S.o
RELAY_OBJS = relay/main$S.o relay/ask$S.o relay/body$S.o relay/crowd$S.o \
	relay/dead$S.o relay/hello$S.o relay/idle$S.o relay/job$S.o \
	relay/mail$S.o relay/route$S.o relay/self$S.o relay/session$S.o \
	relay/target$S.o relay/tickets$S.o relay/trip$S.o relay/verdict$S.o
LOGIN_OBJS = login/main$S.o login/ask$S.o login/front$S.o login/imap$S.o \
	login/pop3$S.o
POP3D_OBJS = pop3d/main$S.o pop3d/maildrop$S.o pop3d/session$S.o \
	pop3d/text$S.o
IMAPD_OBJS = imapd/main$S.o imapd/cmd_append$S.o imapd/cmd_copy$S.o \
	imapd/cmd_fetch$S.o imapd/cmd_folder$S.o imapd/cmd_idle$S.o \
	imapd/cmd_list$S.o imapd/cmd_misc$S.o imapd/cmd_select$S.o \
	imapd/cmd_status$S.o imapd/cmd_store$S.o imapd/commands$S.o \
	imapd/deed$S.o imapd/fetch_parse$S.o imapd/flags$S.o imapd/input$S.o \
	imapd/names$S.o imapd/numbers$S.o imapd/patience$S.o imapd/replies$S.o \
	imapd/search$S.o imapd/search_text$S.o imapd/section$S.o \
	imapd/session$S.o imapd/target$S.o imapd/text$S.o imapd/use$S.o \
	imapd/view$S.o
AUTH_OBJS = auth/main$S.o auth/credentials$S.o auth/penalty$S.o \
	auth/request$S.o
DNS_OBJS = dns/main$S.o dns/events$S.o dns/known$S.o dns/question$S.o \
	dns/resolver$S.o lib/os_linux_fcntl$S.o
CTL_OBJS = ctl/main$S.o ctl/check_dns$S.o ctl/check_files$S.o \
	ctl/check_net$S.o ctl/check_owners$S.o ctl/check_queue$S.o \
	ctl/logfile$S.o ctl/message$S.o ctl/sendmail$S.o ctl/submit$S.o \
	ctl/talk$S.o ctl/verb_check$S.o ctl/verb_config$S.o ctl/verb_log$S.o \
	ctl/verb_map$S.o ctl/verb_queue$S.o ctl/verb_start$S.o \
	ctl/verb_trace$S.o ctl/verb_user$S.o ctl/verb_who$S.o

LIB = lib/libpostern$S.a
DAEMONS = master/master$S smtpd/smtpd$S queue/queue$S deliver/deliver$S \
	relay/relay$S login/login$S pop3d/pop3d$S imapd/imapd$S auth/auth$S \
	dns/dns$S
TOOLS = ctl/postern$S
PROGRAMS = $(DAEMONS) $(TOOLS)

all: $(PROGRAMS)

.SUFFIXES: .c $S.o
.c$S.o:
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

lib/conf_keys$S.o ctl/main$S.o master/house$S.o master/ctl$S.o: \
    lib/places.made

$(LIB): $(LIB_OBJS)
	rm -f $@
	ar rcs $@ $(LIB_OBJS)

L_TLS = -lssl -lcrypto
L_CDB = -lcdb
L_BSD = -lbsd
L_UNBOUND = -lunbound
# ASan's own crypt_r() would make the linker believe that nobody needs it.
L_CRYPT = -Wl,--no-as-needed -lcrypt -Wl,--as-needed
LINK = $(CC) $(ALL_LDFLAGS) -o $@

master/master$S: $(MASTER_OBJS) $(LIB)
	$(LINK) $(MASTER_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_BSD)
smtpd/smtpd$S: $(SMTPD_OBJS) $(LIB)
	$(LINK) $(SMTPD_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_BSD)
queue/queue$S: $(QUEUE_OBJS) $(LIB)
	$(LINK) $(QUEUE_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_BSD)
deliver/deliver$S: $(DELIVER_OBJS) $(LIB)
	$(LINK) $(DELIVER_OBJS) $(LIB) $(LIBPLACES) $(L_BSD)
relay/relay$S: $(RELAY_OBJS) $(LIB)
	$(LINK) $(RELAY_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_BSD)
login/login$S: $(LOGIN_OBJS) $(LIB)
	$(LINK) $(LOGIN_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_BSD)
pop3d/pop3d$S: $(POP3D_OBJS) $(LIB)
	$(LINK) $(POP3D_OBJS) $(LIB) $(LIBPLACES) $(L_BSD)
imapd/imapd$S: $(IMAPD_OBJS) $(LIB)
	$(LINK) $(IMAPD_OBJS) $(LIB) $(LIBPLACES) $(L_BSD)
auth/auth$S: $(AUTH_OBJS) $(LIB)
	$(LINK) $(AUTH_OBJS) $(LIB) $(LIBPLACES) $(L_CDB) $(L_CRYPT) $(L_BSD)
dns/dns$S: $(DNS_OBJS) $(LIB)
	$(LINK) $(DNS_OBJS) $(LIB) $(LIBPLACES) $(L_UNBOUND) $(L_BSD)
ctl/postern$S: $(CTL_OBJS) $(LIB)
	$(LINK) $(CTL_OBJS) $(LIB) $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_CRYPT) \
	    $(L_BSD)

# Tests. UNIT: t/unit/NOUN.c, TAP on standard output, linked with the library.
# FUZZ: lib/NOUN_fuzz.c, seeds in t/corpus/NOUN; with a plain driver
# (lib/fuzz_main.c) it is a test that cuts every seed at every byte, with
# libFuzzer the target of `make fuzz`.
UNIT = accept account addr address_list ages aliases allowance base64 buf \
	chars charset conf conn conn_client conn_proxy content crc decode deed \
	die dns_answer encode encoded_word fold folders hash header hops \
	imap_date imap_out imap_set imap_token ipc ipc_message lock log \
	logfile loop mailbox mailbox_durable mailbox_model mailbox_trouble \
	maildir map message mime mutf7 net parameter part_text penalty pending \
	proto qid question recode reply resolv resolve sandbox sasl search_key \
	sent_day smtp_data smtp_reply span spool structure tally text_map \
	tickets tls transport users wait
FUZZ = account addr address_list aliases base64 conf dns_answer header hops \
	imap_out imap_token ipc mailbox_log mailbox_map maildir mime mutf7 \
	parameter part_text recode reply sasl search_key sent_day smtp_data \
	smtp_reply spool structure text_map transport users

UNIT_TESTS = $(UNIT:%=t/unit/%$S.t)
FUZZ_TESTS = $(FUZZ:%=lib/%_fuzz$S.cut)
FUZZERS = $(FUZZ:%=lib/%_fuzz$S.bin)
# What end to end tests run beside the programs.
TEST_PROGRAMS = t/unit/structure_print$S.t
TEST_OBJS = $(FUZZ:%=lib/%_fuzz$S.o) $(UNIT:%=t/unit/%$S.o)
FUZZ_SECONDS = 10
FUZZ_CC = clang
L_ALL = $(LIBPLACES) $(L_TLS) $(L_CDB) $(L_CRYPT) $(L_BSD)

tests: $(TEST_OBJS) $(UNIT_TESTS) $(FUZZ_TESTS) $(TEST_PROGRAMS) \
    t/unit/fault.so
$(UNIT_TESTS) $(TEST_PROGRAMS): $(LIB)
$(FUZZ_TESTS): $(LIB) lib/fuzz_main$S.o
$(FUZZERS): $(LIB)
.SUFFIXES: $S.t $S.cut $S.bin
$S.o$S.t:
	$(LINK) $< $(LIB) $(L_ALL)
$S.o$S.cut:
	$(LINK) $< lib/fuzz_main$S.o $(LIB) $(L_ALL)
$S.o$S.bin:
	$(LINK) -fsanitize=fuzzer $< $(LIB) $(L_ALL)

# Preloaded into a daemon (t/fault.py): no sanitizer, no hardened wrappers.
t/unit/fault.so: t/unit/fault.c
	$(CC) -std=c17 -D_GNU_SOURCE $(WARN) -O1 -g -fPIC -shared -o $@ \
	    t/unit/fault.c

check: $(PROGRAMS) tests
	t/run $(SAN:%=--san) unit dialog

fuzzers: $(FUZZ:%=lib/%_fuzz$S.o) $(FUZZERS)
fuzz:
	$(MAKE) CC=$(FUZZ_CC) S=.fuzz \
	    SAN=address,undefined,fuzzer-no-link fuzzers
	t/fuzz $(FUZZ_SECONDS) $(FUZZ)

bench: $(PROGRAMS)
	t/bench

lint:
	t/lint

# Installing. Nothing is started, no user is made, no configuration is
# touched, and a foreign sendmail in SBINDIR stays: its name is then only in
# LIBEXECDIR (see INSTALL).
MAN5 = man/postern.conf.5 man/postern-aliases.5 man/postern-log.5 \
	man/postern-maildir.5 man/postern-mailbox.5 \
	man/postern-spool.5 man/postern-transport.5 \
	man/postern-relay-passwords.5 man/postern-tls-policy.5 \
	man/postern-users.5
MAN7 = man/postern.7
MAN8 = man/postern.8 man/postern-auth.8 man/postern-deliver.8 \
	man/postern-dns.8 \
	man/postern-imapd.8 man/postern-login.8 man/postern-master.8 \
	man/postern-pop3d.8 \
	man/postern-queue.8 man/postern-relay.8 man/postern-smtpd.8
MAN_MTA = man/sendmail.8 man/mailq.8 man/newaliases.8
SAMPLES = conf/postern.conf conf/users conf/aliases conf/transport \
	conf/tls-policy conf/relay-passwords
SERVICES = conf/postern.service conf/postern.rc conf/postern.openrc
INSTALL = install
INSTALL_LIST = 'DESTDIR=$(DESTDIR)' 'SBINDIR=$(SBINDIR)' 'BINDIR=$(BINDIR)' \
	'LIBEXECDIR=$(LIBEXECDIR)' 'MANDIR=$(MANDIR)'
FILL = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' \
	-e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
	-e 's|@LOCALSTATEDIR@|$(LOCALSTATEDIR)|g' \
	-e 's|@EXAMPLEDIR@|$(EXAMPLEDIR)|g'

install: all
	$(INSTALL) -d '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(BINDIR)' \
	    '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(EXAMPLEDIR)' \
	    '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(MANDIR)/man5' \
	    '$(DESTDIR)$(MANDIR)/man7' '$(DESTDIR)$(MANDIR)/man8'
	for p in $(DAEMONS); do \
	    $(INSTALL) -m 755 $$p '$(DESTDIR)$(LIBEXECDIR)' || exit 1; done
	for p in $(TOOLS); do \
	    $(INSTALL) -m 755 $$p '$(DESTDIR)$(SBINDIR)' || exit 1; done
	for f in $(SAMPLES) $(SERVICES); do \
	    t='$(DESTDIR)$(EXAMPLEDIR)'/$${f#*/}; \
	    $(FILL) $$f >"$$t" && chmod 644 "$$t" || exit 1; done
	$(INSTALL) -m 644 '$(DESTDIR)$(EXAMPLEDIR)/postern.service' \
	    '$(DESTDIR)$(UNITDIR)'
	for m in $(MAN5); do \
	    $(INSTALL) -m 644 $$m '$(DESTDIR)$(MANDIR)/man5' || exit 1; done
	for m in $(MAN7); do \
	    $(INSTALL) -m 644 $$m '$(DESTDIR)$(MANDIR)/man7' || exit 1; done
	for m in $(MAN8); do \
	    $(INSTALL) -m 644 $$m '$(DESTDIR)$(MANDIR)/man8' || exit 1; done
	sh conf/mta-names.sh install $(INSTALL_LIST)

uninstall:
	sh conf/mta-names.sh uninstall $(INSTALL_LIST)
	for p in $(DAEMONS); do rm -f '$(DESTDIR)$(LIBEXECDIR)'/$${p#*/}; done
	for p in $(TOOLS); do rm -f '$(DESTDIR)$(SBINDIR)'/$${p#*/}; done
	for f in $(SAMPLES) $(SERVICES); do \
	    rm -f '$(DESTDIR)$(EXAMPLEDIR)'/$${f#*/}; done
	rm -f '$(DESTDIR)$(UNITDIR)/postern.service'
	for m in $(MAN5) $(MAN7) $(MAN8); do \
	    rm -f '$(DESTDIR)$(MANDIR)'/man$${m##*.}/$${m#*/}; done
	-rmdir '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(EXAMPLEDIR)'

dist:
	git archive --prefix=postern-$(VERSION)/ \
	    -o postern-$(VERSION).tar.gz HEAD

clean:
	rm -f */*.o */*.d */*/*.o */*/*.d lib/*.a t/unit/*.t t/unit/*.so \
	    lib/*.cut \
	    lib/*.bin lib/places.made .depend $(PROGRAMS) $(PROGRAMS:%=%.san) \
	    $(PROGRAMS:%=%.clang)

.PHONY: all tests check fuzzers fuzz bench lint install uninstall dist clean

-include .depend
