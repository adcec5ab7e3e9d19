/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_OUTCOME_H
#define CONN_OUTCOME_H

/* The closed list of ways in which a connection or a request ends. */

#include <stddef.h>
#include <stdint.h>

#include "upstream/reach.h"

enum outcome {
#define OUTCOME(id, ...) OUT_##id,
#include "conn/outcome.tbl.h"
	OUT_N
};

struct outcome_row {
	const char *word;
	uint16_t status; /* of the local reply; 0: none is possible */
	const char *body;
	const char *text;
};
const struct outcome_row *outcome_row(enum outcome o);

/* What a failed attempt to reach the service means for who asked. */
enum outcome outcome_of_reach(enum reach_status s, enum tls_failure f);
/* How TLS with the server failed: never TLS_FAIL_NONE. */
enum outcome outcome_of_tls(enum tls_failure f);

#endif
