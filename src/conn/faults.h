/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_FAULTS_H
#define CONN_FAULTS_H

/*
 * The faults that FaultInjection and MeshFaultInjection make of a request,
 * drawn once, when it is permitted.  Pure; any thread.
 */

#include <stdint.h>

#include "base/str.h"
#include "policy/traffic.h"

struct identity;

struct faults {
	uint64_t delay_ms;     /* 0: none */
	unsigned abort_status; /* 0: none */
	uint64_t bytes_per_s;  /* of the answer's body; 0: no limit */
	/* Whose they are; of t. */
	struct str delay_by;
	struct str abort_by;
	struct str pace_by;
};

/*
 * The rules for the caller in their order: delays add up, what is aborted sees
 * none that follow, the narrowest bandwidth holds.  t may be NULL.  dice: a
 * random number below n.
 */
struct faults faults_draw(const struct traffic_policy *t,
    const struct identity *id, uint32_t (*dice)(uint32_t n));
/* "delay of 20 ms by a.yaml:1 Kind/name, …"; nothing without any. */
void faults_print(const struct faults *f, struct text *out);

#endif
