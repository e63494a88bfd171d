#!/bin/sh
# Accounts of the system get mail in their homes, each under its own uid, and
# read it there.
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
# Accounts of our own, in a file system view of our own.
if [ -z "${POSTERN_NS:-}" ]; then
	unshare -m --propagation private true 2>/dev/null || {
		echo "1..0 # SKIP no mount namespaces here"
		exit 0
	}
	POSTERN_NS=1 exec unshare -m --propagation private sh "$0"
fi
. "$(dirname "$0")/../lib.sh"
need curl
for u in ann:30001 ben:30002; do
	echo "${u%:*}:x:${u#*:}:${u#*:}::$T/home/${u%:*}:/bin/sh"
done >"$T/new"
cat /etc/passwd "$T/new" >"$T/passwd"
{
	cat /etc/group
	echo ann:x:30001:
	echo ben:x:30002:
	echo club:x:30003:ann
} >"$T/group"
mount --bind "$T/passwd" /etc/passwd || skip_all "no bind mounts here"
mount --bind "$T/group" /etc/group
for u in ann ben; do
	mkdir -p "$T/home/$u"
	chown "$u:$u" "$T/home/$u"
	chmod 700 "$T/home/$u"
done
instance_start --users 1 --set system-domains=sys.test
echo "ann@sys.test $(openssl passwd -6 -salt 'rounds=1000$abcdefgh' secret) system=ann" \
    >>"$INST/maps/users"
ok "postern map" postern map

files() { # ann: messages
	find "$T/home/$1/Maildir/new" -type f 2>/dev/null
}
has() { # ann count
	[ "$(files "$1" | wc -l)" -eq "$2" ]
}
sent() { # address
	message a@client.test "$1" system >"$T/m"
	smtp a@client.test "$1" "$T/m"
}
ok "mail to an account of the system" wait_for 10 sent ann@sys.test
ok "it arrives at home" wait_for 20 has ann 1
is "as its owner, for nobody else to read" \
    "$(stat -c '%u:%g %a' "$(files ann | head -1)")" "30001:30001 600"
ok "another account" sent ben@sys.test
ok "it arrives at home" wait_for 20 has ben 1
is "as its owner" "$(stat -c '%u:%g' "$(files ben | head -1)")" "30002:30002"
not_ok "root gets no mailbox" sent root@sys.test
not_ok "accounts of the system are not in the other domain" \
    sent "ann@$DOMAIN"

# The worker that did it is ann, with her groups, and nothing more.
worker=$(ps -A -ww -o pid= -o uid= -o args= | awk -v p="$INST/libexec/deliver" \
    '$2 == 30001 && $3 == p { print $1 }' | head -1)
if [ -n "$worker" ]; then
	is "her worker's uids" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' \
	    "/proc/$worker/status")" "30001 30001 30001 30001"
	is "her worker's groups" "$(awk '/^Groups:/ { $1 = ""; print $0 }' \
	    "/proc/$worker/status" | tr -s ' ' '\n' | sort | xargs)" \
	    "30001 30003"
else
	skip "her worker" "it has gone already"
fi

like "she reads it" "$(pop ann@sys.test secret 1)" "Subject: system"
not_ok "ben has no password" pop ben@sys.test secret 1

# A home that is a trap: a link to somebody else's mailbox is not followed.
rm -rf "$T/home/ben/Maildir"
ln -s "$T/home/ann/Maildir" "$T/home/ben/Maildir"
ok "mail to one whose Maildir is a link" sent ben@sys.test
tried() {
	log_has 'ev=(deferred|bounced).*ben@sys.test'
}
ok "is not delivered" wait_for 20 tried
ok "ann has no more than before" has ann 1
finish
