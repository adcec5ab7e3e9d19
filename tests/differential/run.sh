#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Our reading of HTTP/1.1 beside libhttp-parser's, for some seconds (SECONDS, 3)
# from a seed (SEED, another each time).  Called by make check.

program=${TOP_BUILDDIR:-.}/tests/differential/differential
[ -x "$program" ] || {
	echo 'libhttp-parser is missing (Debian: apt install libhttp-parser-dev)'
	exit 77
}
exec "$program"
