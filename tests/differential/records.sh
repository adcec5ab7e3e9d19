#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Records of our own beside OpenSSL's, for some seconds (SECONDS, 3) or so many
# streams (STREAMS), from a seed (SEED, another each time).  Called by make
# check, and by make differential-records with a million streams.

exec "${TOP_BUILDDIR:-.}/tests/differential/records"
