#!/bin/sh
# make install needs no root, touches nothing outside DESTDIR, and leaves a
# foreign sendmail alone; uninstall takes away what it put there.
. "$(dirname "$0")/../lib.sh"
[ -z "$SAN" ] || skip_all "only what is installed matters"
need make
cp -Rp "$TOP" "$T/tree" 2>/dev/null
cd "$T/tree" || exit 1
D=$T/dest
files() {
	(cd "$D" && find . ! -type d | sort)
}
ok "make install" make -s install DESTDIR="$D" PREFIX=/usr/local
for f in sbin/postern sbin/sendmail bin/mailq bin/newaliases \
    libexec/postern/master libexec/postern/smtpd libexec/postern/sendmail \
    share/man/man7/postern.7 share/man/man5/postern.conf.5 \
    share/postern/postern.conf share/postern/transport \
    share/postern/tls-policy share/postern/relay-passwords lib/systemd/system/postern.service; do
	ok "$f" sh -c "[ -e '$D/usr/local/$f' ] || [ -h '$D/usr/local/$f' ]"
done
is "nothing outside PREFIX" "$(files | grep -v '^\./usr/local/')" ""
is "no set-id bit" "$(find "$D" -perm -4000 -o -perm -2000)" ""
not_ok "no place is left to fill in" grep -r '@[A-Z]*@' \
    "$D/usr/local/share/postern" "$D/usr/local/lib"
# The sample configuration is one the program accepts.
if "$TOP/ctl/postern" -c "$D/usr/local/share/postern/postern.conf" config >"$T/out" 2>&1; then
	pass "the sample configuration is good"
else
	flunk "the sample configuration is good"
	note <"$T/out"
fi
ok "make uninstall" make -s uninstall DESTDIR="$D" PREFIX=/usr/local
is "nothing is left" "$(files)" ""

echo foreign >"$D/usr/local/sbin/sendmail"
make -s install DESTDIR="$D" PREFIX=/usr/local >"$T/out"
is "a foreign sendmail stays" "$(cat "$D/usr/local/sbin/sendmail")" foreign
like "and it says so" "$(cat "$T/out")" 'sendmail belongs to another'
make -s uninstall DESTDIR="$D" PREFIX=/usr/local >"$T/out"
is "also at uninstall" "$(cat "$D/usr/local/sbin/sendmail")" foreign

cd "$T" || exit 1
finish
