#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Records of our own beside OpenSSL's, for some seconds (SECONDS, 3) or so many
# streams (STREAMS), from a seed (SEED).  Called by make check, and by make
# differential-records with a million streams and another seed each time: a
# leniency of OpenSSL that was never met before is for whoever looks for it,
# not for whoever builds.

[ -n "${STREAMS:-}" ] || export SEED="${SEED:-20261123}"
exec "${TOP_BUILDDIR:-.}/tests/differential/records"
