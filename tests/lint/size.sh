#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Files over 600 lines and functions over 60, printed to be looked at.  Never
# a failure: a table may be long for a reason.

cd "${TOP_SRCDIR:-.}" || exit 99
for file in $(find src tests -name '*.[ch]' -type f | LC_ALL=C sort); do
	awk -v file="$file" '
	/^[a-z_][a-z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name) }
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start - 1 > 60)
			printf "%s:%d: %s has %d lines\n", file, start, name,
			    FNR - start - 1
		start = 0
	}
	END { if (NR > 600) printf "%s has %d lines\n", file, NR }' "$file"
done
exit 0
