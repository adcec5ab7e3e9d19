/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_BALANCE_RIG_H
#define UNIT_BALANCE_RIG_H

/* Endpoints made by hand, and picks of them that are counted. */

#include "upstream/balance.h"
#include "upstream/pick.h"

#define HOSTS 20
#define BALANCE_NOW 1000000

struct hosts {
	struct live_endpoint live[HOSTS];
	struct endpoint fixed[HOSTS];
	char names[HOSTS][16];
	struct live_endpoint *list[HOSTS];
	struct live_endpoints all;
	struct balance *balance;
	struct reach_want want;
	uint64_t now_ms;
};

/* n hosts 10.0.0.1 and so on, of weight 1, and their balance. */
void hosts_init(
    struct hosts *h, size_t n, const struct balance_settings *settings);
void hosts_fini(struct hosts *h);
/* As a reload does, when the list is another one. */
void hosts_renew(struct hosts *h, const struct balance_settings *settings);
void hosts_set_failing(struct hosts *h, size_t i, bool is_failing);
/* Which one; HOSTS: none. */
size_t hosts_pick(struct hosts *h);
size_t hosts_pick_by(struct hosts *h, uint64_t hash);
/* times picks, counted by host. */
void hosts_count(struct hosts *h, unsigned times, unsigned counts[HOSTS]);

/* How far counts are from being in proportion to shares (of 0: none). */
double chi_square(const unsigned *counts, const double *shares, size_t n);
/* What chance alone exceeds once in a thousand times, of n kinds. */
double chi_square_most(size_t n);

bool is_about(double got, double want, double most_off);

struct balance_settings balance_standard(enum balance_policy policy);

#endif
