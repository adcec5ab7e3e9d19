/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_LEDGER_FILE_H
#define ADMIN_LEDGER_FILE_H

/*
 * The ledger's file: a line a use, each with a checksum of its own, so that
 * every line which is whole can be read whatever happened to the others.
 * Pure.
 */

#include <stdint.h>

#include "conn/uses.h"

struct ledger_read {
	size_t good; /* lines */
	size_t bad;
	int64_t since_s; /* 0: not told */
};

void ledger_file_print(const struct uses *u, int64_t since_s, struct text *out);
void ledger_file_read(
    struct str bytes, struct uses *u, struct ledger_read *out);

#endif
