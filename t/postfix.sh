# shellcheck shell=sh
# postfix.sh: a private Postfix beside the instance, to be sourced behind
# lib.sh. It takes mail from this host on a port of its own, and relays what is
# not its own to the instance.
P=$T/postfix

postfix_here() {
	command -v postconf >/dev/null && id postfix >/dev/null 2>&1
}

listens() { # port
	python3 -c "import socket
socket.create_connection(('127.0.0.1', $1), 5)"
}

# It is postfix.test; more of main.cf comes from standard input. Else
# $T/postfix.out tells why not.
postfix_start() { # port
	mkdir -p "$P/conf" "$P/queue" "$P/data" || return
	chmod 755 "$T" "$P" || return
	chown postfix "$P/data" || return
	{
		cat <<-X
			compatibility_level = 3.6
			queue_directory = $P/queue
			data_directory = $P/data
			daemon_directory = $(postconf -hd daemon_directory)
			mail_owner = postfix
			setgid_group = postdrop
			maillog_file = $P/mail.log
			maillog_file_prefixes = $P
			myhostname = postfix.test
			mydestination =
			mynetworks = 127.0.0.0/8
			inet_interfaces = 127.0.0.1
			inet_protocols = ipv4
			alias_maps =
			alias_database =
			relayhost = [127.0.0.1]:$SMTP_PORT
			smtp_tls_security_level = may
			smtp_tls_CAfile = $CA
			disable_dns_lookups = yes
			notify_classes =
			bounce_queue_lifetime = 0
			in_flow_delay = 0s
		X
		cat
	} >"$P/conf/main.cf"
	cat >"$P/conf/master.cf" <<-X
		127.0.0.1:$1 inet n - n - - smtpd
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		verify unix - - n - 1 verify
		proxymap unix - - n - - proxymap
		smtp unix - - n - - smtp
		relay unix - - n - - smtp
		virtual unix - n n - - virtual
		error unix - - n - - error
		retry unix - - n - - error
		scache unix - - n - 1 scache
		anvil unix - - n - 1 anvil
		postlog unix-dgram n - n - 1 postlogd
	X
	postfix -c "$P/conf" start >"$T/postfix.out" 2>&1 &&
	    wait_for 20 listens "$1"
}

postfix_stop() {
	[ ! -e "$P/conf/main.cf" ] || postfix -c "$P/conf" stop
}
