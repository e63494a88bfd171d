#!/bin/sh
# ./setup demo --once: from nothing to a letter in somebody's hands.
. "$(dirname "$0")/../lib.sh"
[ -z "$SAN" ] || skip_all "once is enough"
need curl openssl
ok "setup demo --once" "$TOP/setup" demo --once
finish
