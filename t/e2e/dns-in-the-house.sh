#!/bin/sh
# dns in a running house: a reload gives it other resolvers, a trust anchor
# that changes is followed without one, and when it is killed another comes.
. "$(dirname "$0")/../lib.sh"
need python3
lacking=$(cd "$TOP/t" && python3 -c 'import zones; print(zones.lacking())')
[ -z "$lacking" ] || skip_all "not installed: $lacking"
cat >"$T/text" <<-X
	zone example.test
	@	MX 10 mx
	zone signed.test signed
	@	MX 10 mx
X
python3 "$TOP/t/zones.py" "$T/text" "$T/zones" >"$T/zones.log" 2>&1 &
HELPERS=$!
up() {
	[ -s "$T/zones/env" ]
}
wait_for 20 up || bail "no zones: $(cat "$T/zones.log")"
# shellcheck disable=SC1091
. "$T/zones/env"
cp "$T/zones/anchor" "$T/anchor"

instance_start --users 1 --resolver "$(echo "$RESOLVER" | tr @ :)" \
    --set dnssec=yes --set "dns-trust-anchor=$T/anchor"
dns_pid() {
	postern status --processes | grep 'role=dns ' |
	    sed 's/.*pid=\([0-9]*\).*/\1/'
}
resolver_is() { # what the last line about it says
	grep 'ev=resolver' "$LOG" | tail -1 | grep -q "$1"
}
first=$(dns_pid)
like "there is a dns" "$first" '^[0-9]+$'
ok "the resolver is the one that was named" resolver_is "server=.*$RESOLVER"
answers() { # to one who has little patience
	postern check >"$T/checked" 2>&1
	! grep -q "$RESOLVER does not answer" "$T/checked"
}
ok "check asks it, and it does answer" wait_for 2 answers
like "and is named" "$(cat "$T/checked")" "resolver $RESOLVER"

cp "$CONF" "$T/conf.old"
sed "s/^resolver = .*/resolver = 127.0.0.1@1 $AUTHORITY/" "$T/conf.old" \
    >"$T/conf.new"
cat "$T/conf.new" >"$CONF"
ok "reload with others" postern reload
ok "they are in force" wait_for 20 resolver_is "$AUTHORITY"
is "in the same process" "$(dns_pid)" "$first"
postern check >"$T/checked" 2>&1
like "check finds the one that is dead" "$(cat "$T/checked")" \
    'resolver 127.0.0.1@1 does not answer'
sed 's/^resolver = .*/resolver = somewhere/' "$T/conf.old" >"$CONF"
not_ok "reload with what is no resolver" postern reload
cat "$T/conf.new" >"$CONF"

echo 'this is no key' >"$T/anchor"
ok "a trust anchor that cannot be read" wait_for 20 \
    resolver_is 'level=error.*trust anchor'
cp "$T/zones/anchor" "$T/anchor.new"
mv "$T/anchor.new" "$T/anchor"
usable() {
	! resolver_is level=error
}
ok "a better one is found without a word" wait_for 20 usable

CRASHES=yes
kill -9 "$first"
again() {
	p=$(dns_pid)
	[ -n "$p" ] && [ "$p" != "$first" ] && resolver_is "$AUTHORITY"
}
ok "another dns comes when it is killed" wait_for 20 again
ok "stop is clean" "$TOP/t/instance" stop "$INST"

INST=$T/system
instance_start --users 1 --set resolver=system --set dnssec=no
ok "the system's resolvers" log_has 'ev=resolver server=system'
ok "stop is clean, too" "$TOP/t/instance" stop "$INST"
INST=$T/plain
instance_start --users 1
ok "without --resolver nobody is asked" resolver_is 'server="127.0.0.1@1"'
finish
