/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

/*
 * Active checks, what is decided about them: pure.  How they are made is in
 * probe.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "policy/health_settings.h"

/* What active checks say of an endpoint. */
enum probed { PROBED_UNKNOWN, PROBED_GOOD, PROBED_BAD };

struct health_count {
	enum probed state;
	unsigned against; /* results in a row that contradict it */
};

/* One more result; true: the state has changed.  The first one decides. */
bool health_note(
    const struct health_settings *s, struct health_count *c, bool is_good);
/* From one check to the next; dice: any random number. */
uint64_t health_delay_ms(
    const struct health_settings *s, bool has_traffic, uint64_t dice);

/* "200" or "200-299" */
bool health_status_parse(struct str text, unsigned *from, unsigned *to);
bool health_expects(const struct health_settings *s, unsigned status);

/* "x-probe: yes".  False: it is none that a check may add. */
#define HEALTH_HEADERS_MOST 12
bool health_header_parse(
    struct str text, struct str *name, struct str *value) MUST_CHECK;

/* How much is looked at of what comes in a check by tcp. */
#define HEALTH_TCP_MOST 4096
/* Bytes that are given in base64; false: it is not, or much too long. */
bool health_bytes(struct str base64, struct text *out) MUST_CHECK;
/* Did all that is expected come, in its order? */
bool health_receives(const struct health_settings *s, struct str bytes);

/* The body of an answer of grpc.health.v1.Health/Check: SERVING? */
bool health_grpc_serves(struct str body);
/* The body of a question about that service; name is short. */
#define HEALTH_GRPC_NAME_MOST 100
#define HEALTH_GRPC_QUESTION (5 + 2 + HEALTH_GRPC_NAME_MOST)
struct str health_grpc_question(
    struct str name, char room[HEALTH_GRPC_QUESTION]);

#endif
