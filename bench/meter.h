/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

/*
 * Time, the CPU that processes used, and a histogram of durations with an
 * error below 2 %.
 */

#include <stdint.h>

#define METER_BUCKETS 2560

struct histogram {
	uint64_t count;
	uint64_t longest;
	uint64_t buckets[METER_BUCKETS];
};

uint64_t meter_now_ns(void);

/* Seconds of CPU, user and system, of all living threads of the processes in
 * the comma-separated list of process ids. */
double meter_cpu_s(const char *pids);
double meter_own_cpu_s(void);

/* Seconds that the cores of the machine were busy, whoever kept them so. */
double meter_machine_s(void);

void histogram_add(struct histogram *h, uint64_t ns);
double histogram_us(const struct histogram *h, double quantile);

#endif
