#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# package.sh: `make package`.  Builds Debian packages from the release tarball in the folder package/ of the build, and
# checks them with lintian; a warning is a failure.  It needs Debian's packages dpkg-dev, debhelper and lintian, and
# takes as long as a build.
#
# If DEB_BUILD_OPTIONS is not set, the test suite is not run (nocheck).
set -eu

for program in dpkg-buildpackage dh lintian; do
	command -v $program >/dev/null || {
		echo "package: $program is not installed (Debian: dpkg-dev, debhelper, lintian)" >&2
		exit 1
	}
done
tarball=$(ls "$BUILDDIR"/barlow-*.tar.xz)
place=$BUILDDIR/package
rm -rf "$place"
mkdir "$place"
tar -xJf "$tarball" -C "$place"
cd "$place"/barlow-*
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck parallel=$(nproc)} dpkg-buildpackage -us -uc -b >"$place/log" 2>&1 || {
	tail -n 40 "$place/log"
	exit 1
}
cd ..
lintian --fail-on error,warning --allow-root ./*.changes
echo "Built in $place, and lintian finds no error and no warning:"
ls -- *.deb
