#!/bin/sh
# The manual says what the programs do: keys of the configuration, verbs of
# postern, files; and all pages are well-formed.
. "$(dirname "$0")/../lib.sh"
need awk
[ -x "$TOP/ctl/postern$SAN" ] || bail "build first"
bin=$TOP/ctl/postern$SAN
man=$TOP/man

# Keys: the page's items, and the table in the program.
keys_page() {
	sed -n 's/^\.It Ic //p' "$man/postern.conf.5" |
	    sed 's/ , Ic / /g' | tr ' ' '\n' | sort
}
keys_program() {
	"$bin" config --keys | awk '/^[a-z]/ { print $1 }' | sort
}
keys_program >"$T/program"
keys_page >"$T/page"
ok "the program has keys" test -s "$T/program"
is "every key has its paragraph in postern.conf(5), and no other" \
    "$(diff "$T/program" "$T/page")" ""

# Verbs of postern(8).
"$bin" --help 2>&1 | awk '/^  [a-z]/ { print $1 }' | sort -u >"$T/program"
sed -n 's/^\.It Ic \([a-z]*\).*/\1/p' "$man/postern.8" | sort -u >"$T/page"
ok "the program has verbs" test -s "$T/program"
is "every verb has its paragraph in postern(8), and no other" \
    "$(diff "$T/program" "$T/page")" ""

# Every daemon has its page, and postern(7) names every page.
for p in $(sh "$TOP/t/words" DAEMONS); do
	d=${p%%/*}
	ok "postern-$d(8) is there" test -s "$man/postern-$d.8"
done
for f in "$man"/*; do
	name=${f##*/}
	section=${name##*.}
	name=${name%.*}
	[ "$name.$section" = postern.7 ] ||
	    ok "postern(7) names $name($section)" \
	    grep -q "Xr $name $section" "$man/postern.7"
done
for f in $(sh "$TOP/t/words" MAN5) $(sh "$TOP/t/words" MAN7) \
    $(sh "$TOP/t/words" MAN8) $(sh "$TOP/t/words" MAN_MTA); do
	ok "$f is there" test -s "$TOP/$f"
done
for f in "$man"/*; do
	ok "the Makefile installs ${f##*/}" grep -q "man/${f##*/}" \
	    "$TOP/Makefile"
done

# What the log says, the manual explains.
sources=$(cd "$TOP" && find $(sh "$TOP/t/words" DAEMONS | tr ' ' '\n' |
    sed 's|/.*||') ctl lib -name '*.c' ! -name '*_fuzz.c')
words() { # regular expression: the names in quotes that end a match
	(cd "$TOP" && grep -hoE "$1" $sources) | grep -oE '"[a-z]+"$' |
	    tr -d '"' | sort -u
}
for w in $(words 'log_(begin|msg)\([^"]*"[a-z]+"') \
    $(words '(log_result|failed|log_child|log_bounce|session_log_refusal)\([^"]*"[a-z]+"') \
    $(words 'log_(str|span|num|int)\("[a-z]+"'); do
	ok "postern-log(5) tells what $w is" \
	    grep -qE "^\.It Cm (.* )?$w( |\$)" "$man/postern-log.5"
done

if command -v mandoc >/dev/null; then
	for f in "$man"/*; do
		# Pages that are not installed yet cannot be found.
		is "mandoc is content with ${f##*/}" "$(mandoc -Tlint "$f" \
		    2>/dev/null | grep -v 'referenced manual not found')" ""
	done
else
	skip "mandoc" "no mandoc here"
fi
finish
