#!/bin/sh
# mta-names.sh install|uninstall NAME=VALUE...: the names that other programs
# expect of a mail system: sendmail, mailq, newaliases, and their pages.
# Called by the Makefile.
#
# The names always stand in LIBEXECDIR, as links to postern(8). In SBINDIR and
# BINDIR they are made only where no other program has the name; one that is
# there stays, and a line says so.
set -u
verb=$1
shift
for word; do
	case $word in
	DESTDIR=*|SBINDIR=*|BINDIR=*|LIBEXECDIR=*|MANDIR=*)
		name=${word%%=*}
		value=${word#*=}
		eval "$name=\$value"
		;;
	esac
done

ours() { # is there nothing, or our own link?
	[ ! -e "$1" ] && [ ! -h "$1" ] && return 0
	[ -h "$1" ] || return 1
	case $(readlink "$1") in
	*/postern|postern) return 0 ;;
	esac
	return 1
}

name_make() { # directory name target page
	path=$DESTDIR$1/$2
	page=$DESTDIR$MANDIR/man8/$2.8
	if ours "$path"; then
		ln -sf "$3" "$path" || exit 1
		install -m 644 "man/$2.8" "$page" || exit 1
	else
		echo "$1/$2 belongs to another mail system: left alone;" \
		    "ours is $LIBEXECDIR/$2"
	fi
}

name_drop() {
	path=$DESTDIR$1/$2
	if [ -h "$path" ] && ours "$path"; then
		rm -f "$path" "$DESTDIR$MANDIR/man8/$2.8"
	fi
}

for name in sendmail mailq newaliases; do
	case $name in
	sendmail) dir=$SBINDIR target=postern ;;
	*) dir=$BINDIR target=$SBINDIR/postern ;;
	esac
	if [ "$verb" = install ]; then
		ln -sf "$SBINDIR/postern" "$DESTDIR$LIBEXECDIR/$name" || exit 1
		name_make "$dir" "$name" "$target"
	else
		rm -f "$DESTDIR$LIBEXECDIR/$name"
		name_drop "$dir" "$name"
	fi
done
