#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One fact, one place: what the tables of the sources know stands in the
# manual, and the options of the configuration in the sample too.

cd "${TOP_SRCDIR:-.}" || exit 99
man=${TOP_BUILDDIR:-.}/man
work=$(mktemp -d "${TMPDIR:-/tmp}/zegress-lint.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
: >"$work/bad"

complain() {
	echo "$*"
	echo >>"$work/bad"
}

# The first string of each row of a macro table: MACRO(ID, ..., "word", ...)
first_strings() {
	sed -n 's/^[A-Z_0-9]*([^"]*"\([^"]*\)".*/\1/p' "$1"
}

# The same of tables in C: struct x commands[] = { { "word", ... }, ... };
commands_of() {
	sed -n '/commands\[\] = {/,/^};/s/^[^"]*{ *"\([^"]*\)".*/\1/p' "$@"
}

# The words of a page or a sample, one a line.
words_of() {
	sed 's/\\-/-/g; s/\\&//g' "$1" | tr -c 'A-Za-z0-9_.+-' '\n' |
		sed 's/\.*$//; s/^\.*//' | LC_ALL=C sort -u
}

# Every word read is in each of the files: need WHAT TABLE FILE...
need() {
	what=$1 table=$2
	shift 2
	LC_ALL=C sort -u >"$work/need"
	[ -s "$work/need" ] || complain "$table: no row that can be read"
	for file in "$@"; do
		if [ ! -f "$file" ]; then
			complain "$file is missing"
			continue
		fi
		words_of "$file" >"$work/words"
		while read -r word; do
			grep -qxF -e "$word" "$work/words" ||
				complain "$file lacks the $what $word"
		done <"$work/need"
	done
}

has_table() {
	[ -f "$1" ] || complain "$1 is missing"
	[ -f "$1" ]
}

table=src/base/stats.tbl.h
has_table $table &&
	first_strings $table | need metric $table "$man"/zegress-stats.7

table=src/conn/outcome.tbl.h
has_table $table &&
	first_strings $table | need outcome $table "$man"/zegressd.8

table=src/policy/mesh_log.tbl.h
has_table $table &&
	first_strings $table | need operator $table "$man"/zegressd.8

# In a group of the sample an option goes by its last name.
table=src/daemon/config.tbl.h
if has_table $table; then
	first_strings $table | need option $table "$man"/zegressd.conf.5
	first_strings $table | sed 's/.*\.//' |
		need option $table "${TOP_BUILDDIR:-.}"/etc/zegressd.conf
fi

tables=$(grep -l 'commands\[\] = {' src/ctl/*.c src/admin/*.c \
    src/daemon/*.c 2>/dev/null)
case $tables in
*src/ctl/*)
	# shellcheck disable=SC2086
	commands_of $tables | need command "$tables" "$man"/zegressctl.8
	;;
*)
	complain 'src/ctl has no commands[] = { ... }'
	;;
esac

[ ! -s "$work/bad" ]
