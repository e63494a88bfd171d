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
programs='master smtpd queue deliver relay dns login pop3d imapd auth ctl'
others() { # but for: as an alternation
	echo "$programs" | tr ' ' '\n' | grep -vx "$1" | paste -sd'|' -
}
c=$(for d in lib $programs; do echo $d/*.[ch]; done)
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
    "include \"($(others none))/" lib/*.[ch]
for d in $programs; do
	none "$d includes no other program's header" \
	    "include \"($(others "$d"))/" $d/*.[ch]
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
