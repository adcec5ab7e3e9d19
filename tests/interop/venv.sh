# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the scripts beside it, with $here: finds the trees, and sets
# $python to one that has requirements.txt.  Those packages come from PyPI,
# once, into a virtual environment in the build tree.

: "${TOP_SRCDIR:=$(cd "$here/../.." && pwd)}"
: "${TOP_BUILDDIR:=$TOP_SRCDIR}"
export TOP_SRCDIR TOP_BUILDDIR

venv=$TOP_BUILDDIR/interop-venv
wanted=$here/requirements.txt
python=$venv/bin/python

if ! cmp -s "$wanted" "$venv/installed.txt"; then
	echo "Preparing $venv" >&2
	python3 -m venv "$venv" || {
		echo 'Debian: apt install python3-venv' >&2
		exit 1
	}
	"$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted"
	cp "$wanted" "$venv/installed.txt"
fi
