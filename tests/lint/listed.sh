#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every source file is built: its path stands in a Makefile.inc (or, for the
# two main files, in Makefile.am).  And no two files of src/ share a name.

cd "${TOP_SRCDIR:-.}" || exit 99
bad=0
listed=$(cat Makefile.am $(find src tests man -name Makefile.inc) |
	grep -o '[a-z0-9_./]*\.[ch]' | LC_ALL=C sort -u)
for file in $(find src tests man -name '*.[ch]' -type f ! -path '*/interop/*'); do
	printf '%s\n' "$listed" | grep -qxF "$file" || {
		echo "$file is in no Makefile.inc"
		bad=1
	}
done
twice=$(find src -name '*.[ch]' -type f | sed 's|.*/||' | LC_ALL=C sort |
	uniq -d)
for name in $twice; do
	echo "$name: two files of src/ have this name"
	bad=1
done
exit $bad
