/*
 * conf_keys: every key of postern.conf(5), one row each. Parser, checker,
 * `postern config` and the manual's test read this table. Numbers, sizes and
 * times have bounds; "0" as lower bound means that 0 switches the limit off.
 */
#include "lib/conf_keys.h"

#ifndef PATH_CONF /* a build without the Makefile */
#define PATH_CONF "/etc/postern/postern.conf"
#define PATH_MAPS "/etc/postern"
#define PATH_SPOOL "/var/spool/postern"
#define PATH_MAIL "/var/vmail"
#define PATH_RUN "/var/run/postern"
#define PATH_LIBEXEC "/usr/local/libexec/postern"
#endif

const char conf_default_path[] = PATH_CONF;

/* clang-format off */
#define F(field) offsetof(struct conf, field)

const struct conf_key conf_keys[] = {
	/* Who we are */
	{ "hostname", &conf_type_host, F(hostname), "", "", "",
	    "this host's full name; must be set" },
	{ "domains", &conf_type_domains, F(domains), "", "", "",
	    "local domains whose mailboxes are in the users map" },
	{ "system-domains", &conf_type_domains, F(system_domains), "", "", "",
	    "local domains where the system's accounts get mail, too" },
	{ "relay-domains", &conf_type_domains, F(relay_domains), "", "", "",
	    "other domains whose mail is taken from anyone and passed on" },
	{ "default-domain", &conf_type_domain, F(default_domain), "", "", "",
	    "added to names without @; default: the first local domain" },
	{ "postmaster", &conf_type_mailbox, F(postmaster), "postmaster", "", "",
	    "gets mail for postmaster that no map takes, and double bounces" },

	/* Where we listen */
	{ "listen-smtp", &conf_type_listen, F(listen_smtp), "*:25", "", "",
	    "mail from other hosts" },
	{ "listen-submission", &conf_type_listen, F(listen_submission),
	    "*:587", "", "", "mail from users, STARTTLS" },
	{ "listen-submissions", &conf_type_listen, F(listen_submissions),
	    "*:465", "", "", "mail from users, TLS from the first byte" },
	{ "listen-pop3", &conf_type_listen, F(listen_pop3), "*:110", "", "",
	    "POP3, STLS" },
	{ "listen-pop3s", &conf_type_listen, F(listen_pop3s), "*:995", "", "",
	    "POP3, TLS from the first byte" },
	{ "listen-imap", &conf_type_listen, F(listen_imap), "*:143", "", "",
	    "IMAP, STARTTLS" },
	{ "listen-imaps", &conf_type_listen, F(listen_imaps), "*:993", "", "",
	    "IMAP, TLS from the first byte" },
	{ "tls-certificate", &conf_type_file, F(tls_certificate), "", "", "",
	    "PEM file, the whole chain; without it there is no TLS" },
	{ "tls-key", &conf_type_file, F(tls_key), "", "", "",
	    "PEM file, the certificate's private key" },
	{ "plaintext-auth", &conf_type_flag, F(plaintext_auth), "no", "", "",
	    "passwords without TLS from clients on this host" },

	/* Files and users */
	{ "spool-dir", &conf_type_path, F(spool_dir), PATH_SPOOL, "", "",
	    "where mail waits" },
	{ "run-dir", &conf_type_path, F(run_dir), PATH_RUN, "", "90",
	    "sockets and the process id" },
	{ "map-dir", &conf_type_path, F(map_dir), PATH_MAPS, "", "",
	    "users, aliases, and the maps compiled from them" },
	{ "mail-root", &conf_type_path, F(mail_root), PATH_MAIL, "", "",
	    "mailboxes: DOMAIN/NAME/Maildir below it" },
	{ "libexec-dir", &conf_type_path, F(libexec_dir), PATH_LIBEXEC, "", "",
	    "the daemons" },
	{ "user-smtp", &conf_type_user, F(user_smtp), "_postern_smtp", "", "",
	    "runs smtpd" },
	{ "user-login", &conf_type_user, F(user_login), "_postern_login", "",
	    "", "runs login" },
	{ "user-auth", &conf_type_user, F(user_auth), "_postern_auth", "", "",
	    "runs auth" },
	{ "user-dns", &conf_type_user, F(user_dns), "_postern_dns", "", "",
	    "runs dns" },
	{ "user-queue", &conf_type_user, F(user_queue), "_postern_queue", "",
	    "", "runs queue, owns the spool" },
	{ "user-relay", &conf_type_user, F(user_relay), "_postern_relay", "",
	    "", "runs relay" },
	{ "mail-user", &conf_type_user, F(mail_user), "vmail", "", "",
	    "owns the mailboxes of virtual users" },
	{ "min-uid", &conf_type_number, F(min_uid), "1000", "1", "4294967294",
	    "lowest uid that owns a mailbox, mail-user apart" },
	{ "process-timeout", &conf_type_time, F(process_timeout), "5m", "0",
	    "1d", "a daemon that hangs so long is killed; 0: never" },
	{ "log", &conf_type_log, F(log), "syslog", "", "",
	    "syslog, syslog:SOCKET, stderr or a file" },
	{ "log-level", &conf_type_choice, F(log_level), "info",
	    "error warn info debug", "", "error, warn, info or debug" },

	/* SMTP */
	{ "trusted-networks", &conf_type_networks, F(trusted_networks),
	    "127.0.0.0/8 ::1", "", "", "may relay without a password" },
	{ "message-size", &conf_type_size, F(message_size), "50M", "64K", "1G",
	    "largest message, bytes as received" },
	{ "recipients-max", &conf_type_number, F(recipients_max), "1000",
	    "1", "1000", "recipients of one message" },
	{ "smtp-timeout", &conf_type_time, F(smtp_timeout), "5m", "1s", "1h",
	    "wait for a command" },
	{ "smtp-data-timeout", &conf_type_time, F(smtp_data_timeout), "3m",
	    "1s", "1h", "wait for more of a message" },
	{ "smtp-data-rate", &conf_type_size, F(smtp_data_rate), "64", "0", "1M",
	    "bytes a second a message must come with" },
	{ "smtp-errors", &conf_type_number, F(smtp_errors), "10", "1", "1000",
	    "refused commands before a client is sent away" },
	{ "smtp-connections", &conf_type_number, F(smtp_connections), "4000",
	    "1", "100000", "clients of one smtpd process" },
	{ "smtp-client-connections", &conf_type_number,
	    F(smtp_client_connections), "50", "0", "100000",
	    "connections at once from one IPv4 address, IPv6 /64 or account" },
	{ "smtp-client-rate", &conf_type_number, F(smtp_client_rate), "300",
	    "0", "1000000", "connections a minute, likewise" },
	{ "smtp-client-messages", &conf_type_number, F(smtp_client_messages),
	    "600", "0", "1000000", "messages a minute, likewise" },
	{ "smtp-transactions", &conf_type_number, F(smtp_transactions), "1000",
	    "1", "1000000", "messages of one connection" },
	{ "smtp-processes", &conf_type_number, F(smtp_processes), "0", "0",
	    "32", "smtpd processes; 0: one a processor" },
	{ "login-processes", &conf_type_number, F(login_processes), "0", "0",
	    "32", "login processes; 0: one a processor" },
	{ "submission-senders", &conf_type_choice, F(submission_senders),
	    "own-or-remote", "own own-or-remote any", "",
	    "envelope senders of users who log in: own, own-or-remote, any" },
	{ "user-messages", &conf_type_number, F(user_messages), "500", "0",
	    "1000000", "messages an hour of one user, or local account" },
	{ "user-recipients", &conf_type_number, F(user_recipients), "2000",
	    "0", "1000000", "and their recipients" },
	{ "unlimited-users", &conf_type_users, F(unlimited_users), "", "", "",
	    "logins and local accounts (uid=33) without these two limits" },
	{ "subaddress", &conf_type_text, F(subaddress), "+", "", "8",
	    "characters that end the mailbox name in ann+lists@example.org" },

	/* Queue */
	{ "retry-min", &conf_type_time, F(retry_min), "4m", "1s", "1d",
	    "first wait after a temporary failure" },
	{ "retry-max", &conf_type_time, F(retry_max), "3h", "1s", "7d",
	    "longest wait between two attempts" },
	{ "queue-lifetime", &conf_type_time, F(queue_lifetime), "5d", "1s",
	    "60d", "then a message that cannot be delivered goes back" },
	{ "bounce-lifetime", &conf_type_time, F(bounce_lifetime), "2d", "1s",
	    "60d", "the same for bounces" },
	{ "delay-warning", &conf_type_time, F(delay_warning), "4h", "0", "60d",
	    "then the sender is told that a message waits; 0: never" },
	{ "active-max", &conf_type_number, F(active_max), "10000", "1",
	    "1000000", "messages in memory at once" },
	{ "destination-concurrency", &conf_type_number,
	    F(destination_concurrency), "20", "1", "1000",
	    "deliveries at once to one next hop, at most" },
	{ "destination-initial-concurrency", &conf_type_number,
	    F(destination_initial_concurrency), "5", "1", "1000",
	    "deliveries at once to one next hop, at first" },
	{ "local-concurrency", &conf_type_number, F(local_concurrency), "4",
	    "1", "1000", "deliver processes of one owner" },
	{ "deliver-timeout", &conf_type_time, F(deliver_timeout), "5m", "1s",
	    "1d", "a deliver process that says nothing so long is given up" },
	{ "relay-timeout", &conf_type_time, F(relay_timeout), "2h", "1s",
	    "1d", "a relay process that says nothing so long is given up" },
	{ "spool-reserve", &conf_type_size, F(spool_reserve), "64M", "0", "1T",
	    "bytes that stay free on the spool's file system" },
	{ "relayhost", &conf_type_relay, F(relayhost), "", "", "",
	    "next hop for mail to other hosts; without it, their MX" },
	{ "lmtp-sockets", &conf_type_sockets, F(lmtp_sockets), "", "", "",
	    "LMTP sockets that the transport map may name" },

	/* Relay: to other hosts */
	{ "relay-processes", &conf_type_number, F(relay_processes), "0", "0",
	    "32", "relay processes; 0: one a processor" },
	{ "relay-connections", &conf_type_number, F(relay_connections), "1000",
	    "1", "10000", "connections of one relay process" },
	{ "relay-host-connections", &conf_type_number,
	    F(relay_host_connections), "50", "0", "10000",
	    "connections to one IPv4 address or IPv6 /64 that MX names" },
	{ "relay-tls", &conf_type_choice, F(relay_tls), "may",
	    "none may encrypt verify", "",
	    "TLS with servers that are not in the tls-policy map" },
	{ "tls-ca-file", &conf_type_file, F(tls_ca_file), "", "", "",
	    "PEM file: authorities for verify; without it the system's" },
	{ "relay-connect-timeout", &conf_type_time, F(relay_connect_timeout),
	    "30s", "1s", "10m", "wait for a connection" },
	{ "relay-greeting-timeout", &conf_type_time, F(relay_greeting_timeout),
	    "5m", "1s", "1h", "wait for the greeting" },
	{ "relay-command-timeout", &conf_type_time, F(relay_command_timeout),
	    "5m", "1s", "1h", "wait for the answer to a command" },
	{ "relay-data-timeout", &conf_type_time, F(relay_data_timeout), "2m",
	    "1s", "1h", "wait for the answer to DATA" },
	{ "relay-send-timeout", &conf_type_time, F(relay_send_timeout), "3m",
	    "1s", "1h", "wait until a block of a message is taken" },
	{ "relay-dot-timeout", &conf_type_time, F(relay_dot_timeout), "10m",
	    "1s", "1h", "wait for the answer to a message" },
	{ "relay-idle-timeout", &conf_type_time, F(relay_idle_timeout), "10s",
	    "0", "5m", "an idle connection is kept so long; 0: not at all" },
	{ "relay-reuse", &conf_type_number, F(relay_reuse), "100", "1", "10000",
	    "messages of one connection" },
	{ "smtp-port", &conf_type_number, F(smtp_port), "25", "1", "65535",
	    "port of other hosts, for tests and labs" },
	{ "relay-loopback", &conf_type_flag, F(relay_loopback), "no", "", "",
	    "other hosts may be on this one, for tests and labs" },

	/* DNS */
	{ "resolver", &conf_type_resolvers, F(resolver), "system", "", "",
	    "ADDRESS or ADDRESS@PORT, several; or system, or recursive" },
	{ "dnssec", &conf_type_choice, F(dnssec), "auto", "auto yes no", "",
	    "auto, yes or no" },
	{ "dns-trust-anchor", &conf_type_file, F(dns_trust_anchor), "", "", "",
	    "DS or DNSKEY records; without it the system's" },
	{ "dns-timeout", &conf_type_time, F(dns_timeout), "20s", "1s", "5m",
	    "time for an answer" },
	{ "dns-cache", &conf_type_size, F(dns_cache), "16M", "1M", "256M",
	    "memory for answers" },

	/* POP3, IMAP, logins */
	{ "pop3-timeout", &conf_type_time, F(pop3_timeout), "10m", "1s", "1d",
	    "idle POP3 session; RFC 1939 asks for ten minutes or more" },
	{ "imap-timeout", &conf_type_time, F(imap_timeout), "30m", "1s", "1d",
	    "idle IMAP session; RFC 3501 asks for half an hour or more" },
	{ "imap-search-time", &conf_type_time, F(imap_search_time), "2m", "0",
	    "1d", "CPU time that one SEARCH may take" },
	{ "imap-folders", &conf_type_folders, F(imap_folders),
	    "Drafts Sent Trash Junk Archive", "", "",
	    "made at the first login of who has no folders; or none" },
	{ "login-timeout", &conf_type_time, F(login_timeout), "3m", "1s", "1h",
	    "time to log in" },
	{ "login-connections", &conf_type_number, F(login_connections), "4000",
	    "1", "100000", "clients of one login process" },
	{ "login-client-connections", &conf_type_number,
	    F(login_client_connections), "50", "0", "100000",
	    "connections from one IPv4 address or IPv6 /64 before the login" },
	{ "sessions", &conf_type_number, F(sessions), "2000", "1", "100000",
	    "session processes in all" },
	{ "user-sessions", &conf_type_number, F(user_sessions), "50", "1",
	    "10000", "session processes of one login name" },
	{ "auth-delay", &conf_type_ms, F(auth_delay), "500ms", "0ms", "60s",
	    "wait before a failed login is answered; grows" },
	{ "auth-failures", &conf_type_number, F(auth_failures), "20", "1",
	    "10000", "different wrong passwords before a network or account "
	    "must wait" },
};
/* clang-format on */

const size_t conf_nkeys = nitems(conf_keys);

size_t
conf_keys_count(void)
{
	return conf_nkeys;
}

void
conf_key_info(size_t i, struct conf_key_info *info)
{
	const struct conf_key *k = &conf_keys[i];

	*info = (struct conf_key_info){ .name = k->name,
		.type = k->type->name,
		.def = k->def,
		.min = k->min,
		.max = k->max,
		.what = k->what };
}
