#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Our reading of HTTP/1.1 beside libhttp-parser's, for some seconds (SECONDS, 3)
# from a seed (SEED).  Called by make check, and by make differential with
# another seed each time (SEED=new): a difference that nobody met before is for
# whoever looks for it, not for whoever builds.

program=${TOP_BUILDDIR:-.}/tests/differential/differential
[ -x "$program" ] || {
	echo 'libhttp-parser is missing (Debian: apt install libhttp-parser-dev)'
	exit 77
}
case ${SEED:=20261123} in
new) unset SEED ;;
*) export SEED ;;
esac
exec "$program"
