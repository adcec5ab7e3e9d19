#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The text of the sources is as clang-format would write it.  Another version
# has another opinion, so only the one that .clang-format was written for may
# judge.

for tool in clang-format-14 clang-format; do
	command -v $tool >/dev/null &&
	    $tool --version | grep -q 'version 14\.' && break
	tool=
done
[ -n "$tool" ] || {
	echo 'clang-format 14 is missing'
	exit 77
}
cd "${TOP_SRCDIR:-.}" || exit 99
[ -f .clang-format ] || {
	echo '.clang-format is missing'
	exit 1
}
find src tests -name '*.[ch]' ! -name '*.tbl.h' -type f -print0 |
	xargs -0 $tool --dry-run -Werror
