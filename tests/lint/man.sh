#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The manual is correct mdoc.

command -v mandoc >/dev/null || {
	echo 'mandoc is missing'
	exit 77
}
cd "${TOP_BUILDDIR:-.}/man" || exit 1
# References to pages of other packages are not looked up: -Wwarning.
mandoc -Tlint -Wwarning ./*.[578]
