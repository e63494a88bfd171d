#!/bin/sh
# probe.sh CC SAN: prints the hardening flags that this compiler takes.
# probe.sh --libs: prints where libraries are, on systems that keep them
# outside the default path (FreeBSD).
# Called by the Makefile; keeps no state.
set -u
if [ "$1" = --libs ]; then
	[ -d /usr/local/include/openssl ] || [ ! -d /usr/local/lib ] || :
	case $(uname -s) in
	FreeBSD|OpenBSD) echo "-L/usr/local/lib" ;;
	esac
	exit 0
fi
cc=$1 san=${2:-}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
echo 'int main(void) { return 0; }' >"$tmp/p.c"
takes() {
	# shellcheck disable=SC2086
	$cc -Werror "$@" -o "$tmp/p" "$tmp/p.c" >/dev/null 2>&1
}
flags=
for f in -fstack-protector-strong -fstack-clash-protection -fcf-protection \
    -ftrivial-auto-var-init=zero -fno-strict-overflow "-fPIE -pie" \
    "-Wl,-z,relro,-z,now" "-Wl,-z,noexecstack" "-Wl,--as-needed"; do
	# shellcheck disable=SC2086
	if takes $f; then
		flags="$flags $f"
	elif [ "$f" = -ftrivial-auto-var-init=zero ] && takes $f \
	    -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang; then
		flags="$flags $f -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang"
	fi
done
if [ -z "$san" ]; then
	if takes -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3; then
		flags="$flags -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
	fi
fi
# shellcheck disable=SC2086
if $cc -Qunused-arguments -Werror -o "$tmp/p" "$tmp/p.c" >/dev/null 2>&1; then
	flags="$flags -Qunused-arguments"
fi
case $(uname -s) in
FreeBSD|OpenBSD) flags="$flags -I/usr/local/include" ;;
esac
echo "$flags"
