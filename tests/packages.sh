#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# packages.txt, configure.ac and debian/control name the same Debian packages.
set -u
cd "$SRCDIR" || exit 1

# listed SECTION: the packages of that section of packages.txt
listed() {
	awk -v section="# $1" '/^#/ { within = $0 == section; next } within && NF { print $1 }' packages.txt
}
# field NAME: that field of debian/control, one package a line; libtiff-dev (>= 4.5) <!nocheck> is one
field() {
	sed -n "/^$1:/,/^[^ ]/p" debian/control | sed "/^[A-Z]/{/^$1:/!d}; s/^$1://; s/^ *//" | tr ',' '\n' | sed '/^ *$/d'
}
names() { awk '{ print $1 }' | LC_ALL=C sort; }

number=0
# same NAME ONE OTHER: two lists of names, separated by white space
same() {
	number=$((number + 1))
	if [ "$2" = "$3" ] && [ -n "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "# one:   " $2
		echo "# other: " $3
	fi
}

echo 1..5
same "configure asks for the libraries of packages.txt" "$(listed Libraries | names)" \
	"$(sed -n 's/^BARLOW_NEED(.*\], \[\([a-z0-9.-]*\)\], \[[^]]*\])$/\1/p' configure.ac | names)"
# build-essential includes the compiler and make, debhelper includes autoconf, automake and libtool.
same "the Debian package is built with them" \
	"$({ listed Libraries; listed Building | grep -vxE 'gcc|libc6-dev|make|autoconf|automake|libtool'; } | names)" \
	"$(field Build-Depends | grep -v '<!nocheck>\|^debhelper-compat' | names)"
same "... and tested with what the tests need" "$({ listed Testing; echo gnuplot-nox; } | names)" \
	"$(field Build-Depends | grep '<!nocheck>' | names)"
same "the installed program recommends or suggests what it runs with" "$(listed Running | names)" \
	"$({ field Recommends; field Suggests; } | names)"
same "the Debian package has the version of configure.ac" "$(sed -n 's/^AC_INIT(\[barlow\], \[\(.*\)\])/\1/p' configure.ac)" \
	"$(sed -n '1s/^barlow (\(.*\)).*/\1/p' debian/changelog)"
