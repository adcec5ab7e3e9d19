/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_DICE_H
#define DIFFERENTIAL_DICE_H

/*
 * Random numbers that can be had again: what was made of a seed is made of it
 * next time (base/rng.h forgets on purpose).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* SplitMix64. */
static inline uint64_t
dice_u64(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 <= result < n; the bias of so small an n does not matter. */
static inline size_t
dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_u64(d) % n);
}

/* Once in n times. */
static inline bool
dice_one_in(struct dice *d, size_t n)
{
	return dice_below(d, n) == 0;
}

#endif
