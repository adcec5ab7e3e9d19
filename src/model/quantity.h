/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_QUANTITY_H
#define MODEL_QUANTITY_H

/*
 * What policies measure by: durations as Go writes them, decimals, percentages,
 * bandwidths.  The parsers are pure; the readers are for rows of bind.h, and
 * tell of what they cannot read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct binder;
struct node;
struct path;

/* "1h30m", "1.5s", "700ms", "0", up to 292 years; parts of a us are cut off, */
bool parse_go_duration_us(struct str s, uint64_t *us) MUST_CHECK;
/* and of a ms; but what is not 0 is 1 ms at least. */
bool parse_go_duration_ms(struct str s, uint64_t *ms) MUST_CHECK;
/* "12.345", in thousandths, up to 2^53 of them; more digits are cut off. */
bool parse_decimal(struct str s, uint64_t *thousandths) MUST_CHECK;
/* "12.5" of a hundred, into millionths: 125000; more digits are cut off. */
bool parse_percentage(struct str s, unsigned *millionths) MUST_CHECK;
/* "64 kbps", Mbps, Gbps, in any case: kilobits and so on, a second. */
bool parse_bandwidth(struct str s, uint64_t *bytes_per_s) MUST_CHECK;

/* Into a uint64_t of microseconds, ... */
void read_duration(
    struct binder *b, const struct node *n, const struct path *at, void *field);
/* an unsigned of millionths, ... */
void read_percentage(
    struct binder *b, const struct node *n, const struct path *at, void *field);
/* a uint64_t of bytes. */
void read_bandwidth(
    struct binder *b, const struct node *n, const struct path *at, void *field);

#endif
