#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make configure and Makefile.in from what is written by hand.
set -eu
cd "$(dirname "$0")"
exec autoreconf -fi
