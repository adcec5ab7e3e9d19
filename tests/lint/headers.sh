#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every header compiles alone, and headers do not include each other in a
# circle.  Tables (*.tbl.h) are no headers: they are included once a purpose.

: "${CC:=cc}" "${LINT_CFLAGS:=-std=c11 -D_GNU_SOURCE -Isrc}"
cd "${TOP_SRCDIR:-.}" || exit 99
LINT_CFLAGS="$LINT_CFLAGS -I$PWD/src"
bad=0
headers=$(find src -name '*.h' ! -name '*.tbl.h' -type f | LC_ALL=C sort)

for header in $headers; do
	# Of the system's headers only those are read that it asks for.
	printf '#include "%s"\nint lint;\n' "${header#src/}" |
		$CC $LINT_CFLAGS -Wall -Wno-unused-function -Werror \
		    -fsyntax-only -x c - || {
		echo "$header does not compile alone"
		bad=1
	}
done

# tsort names the members of every circle on standard error.
circles=$(for header in $headers; do
	sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$header" |
		sed "s|^|${header#src/} |"
done | tsort 2>&1 >/dev/null)
if [ -n "$circles" ]; then
	printf 'headers include each other:\n%s\n' "$circles"
	bad=1
fi
exit $bad
