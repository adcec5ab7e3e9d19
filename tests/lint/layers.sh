#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A folder of src/ may include itself and those that src/LAYERS allows it.
# Includes in quotes name a layer and a file.

cd "${TOP_SRCDIR:-.}/src" || exit 99
awk -F'[: \t/"]+' '
FILENAME == "LAYERS" {
	known[$1] = 1
	ok[$1, $1] = 1
	for (i = 2; i <= NF; i++)
		ok[$1, $i] = 1
	next
}
FNR == 1 {
	split(FILENAME, at, "/")
	if (!(at[1] in known)) {
		printf "src/%s: LAYERS does not know %s\n", FILENAME, at[1]
		bad = 1
	}
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	name = $0
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	if (split(name, to, "/") != 2) {
		printf "src/%s:%d: say \"layer/%s\"\n", FILENAME, FNR, name
		bad = 1
	} else if (!((at[1], to[1]) in ok)) {
		printf "src/%s:%d: %s may not include %s\n", FILENAME, FNR, \
		    at[1], to[1]
		bad = 1
	}
}
END { exit bad }' LAYERS $(find ./[a-z]* -name '*.[ch]' -type f |
	sed 's|^\./||' | LC_ALL=C sort)
