#!/bin/sh
# Rules of the source that a machine can check.
. "$(dirname "$0")/../lib.sh"
[ -z "$SAN" ] || skip_all "once is enough"
cd "$TOP" || exit 1
none() { # name pattern file...
	name=$1 pattern=$2
	shift 2
	is "$name" "$(grep -nE "$pattern" "$@" /dev/null |
	    grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)')" ""
}
c=$(ls lib/*.[ch] master/*.[ch] smtpd/*.[ch] queue/*.[ch] deliver/*.[ch] \
    login/*.[ch] pop3d/*.[ch] imapd/*.[ch] auth/*.[ch] ctl/*.[ch] 2>/dev/null)
# shellcheck disable=SC2086
{
none "no unbounded string functions" \
    '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|strncpy|strncat)\(' $c
none "no shell is ever started" '\b(system|popen|wordexp)\(' $c
none "only lib/tls.c knows OpenSSL" 'include <openssl/' \
    $(echo $c | tr ' ' '\n' | grep -v '^lib/tls')
none "only lib/map_cdb.c knows CDB" 'include <cdb.h>' \
    $(echo $c | tr ' ' '\n' | grep -v '^lib/map_cdb.c')
none "only lib/os_*.c asks which system this is" \
    '__(linux|FreeBSD|OpenBSD|NetBSD|APPLE)__' \
    $(echo $c | tr ' ' '\n' | grep -v '^lib/os_')
none "no locale" '\b(setlocale|isalpha|isdigit|isspace|isalnum|tolower|toupper)\(' $c
none "libraries never include a daemon's header" \
    'include "(master|smtpd|queue|deliver|login|pop3d|imapd|auth|ctl)/' lib/*.[ch]
for d in master smtpd queue deliver login pop3d imapd auth ctl; do
	none "$d includes no other program's header" \
	    "include \"($(echo master smtpd queue deliver login pop3d imapd auth \
	    ctl | tr ' ' '\n' | grep -v "^$d\$" | paste -sd'|' -))/" $d/*.[ch]
	like "$d/main.c begins with its identity card" \
	    "$(head -12 $d/main.c | tr '\n' ' ')" 'if owned|what people type'
done
}
if command -v shellcheck >/dev/null; then
	ok "shellcheck is content with the scripts" shellcheck -S warning \
	    -e SC1091,SC2034,SC2046,SC2086,SC2153 setup .ci/run conf/*.sh t/run t/one t/words \
	    t/fuzz t/instance t/e2e/*.sh
fi
is "no trailing blanks in the documents" "$(grep -nE '[[:space:]]$' \
    README.md INSTALL ARCHITECTURE CHANGES 2>&1)" ""
finish
