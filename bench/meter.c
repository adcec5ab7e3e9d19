/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock, /proc/PID/task/TID/schedstat, histogram.
 */

#include "meter.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SUB_BITS 6 /* 64 buckets an octave */
#define SUB (1u << SUB_BITS)

uint64_t
meter_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Nanoseconds that a thread ran.  The ticks of /proc/PID/stat are too coarse
 * for a second of little work. */
static double
cpu_of_thread(long pid, const char *thread)
{
	unsigned long long ns = 0;
	char path[300];
	FILE *f;

	snprintf(
	    path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, thread);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e9;
}

static double
cpu_of(long pid)
{
	struct dirent *entry;
	char path[64];
	double sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	threads = opendir(path);
	if (threads == NULL)
		return 0;
	while ((entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			sum += cpu_of_thread(pid, entry->d_name);
	closedir(threads);
	return sum;
}

double
meter_cpu_s(const char *pids)
{
	double sum = 0;

	while (pids != NULL && *pids != '\0') {
		char *end;

		sum += cpu_of(strtol(pids, &end, 10));
		pids = *end == ',' ? end + 1 : NULL;
	}
	return sum;
}

double
meter_own_cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

double
meter_machine_s(void)
{
	unsigned long user, nice, system, irq, soft_irq;
	FILE *f = fopen("/proc/stat", "r");
	int n;

	if (f == NULL)
		return 0;
	n = fscanf(f, "cpu %lu %lu %lu %*u %*u %lu %lu", &user, &nice, &system,
	    &irq, &soft_irq);
	fclose(f);
	if (n != 5)
		return 0;
	return (double)(user + nice + system + irq + soft_irq) /
	       (double)sysconf(_SC_CLK_TCK);
}

static unsigned
bucket_of(uint64_t ns)
{
	unsigned top, bucket;

	if (ns < SUB)
		return (unsigned)ns;
	top = 63 - (unsigned)__builtin_clzll(ns);
	bucket = (top - SUB_BITS + 1) * SUB +
		 (unsigned)(ns >> (top - SUB_BITS) & (SUB - 1));
	return bucket < METER_BUCKETS ? bucket : METER_BUCKETS - 1;
}

static double
middle_of(unsigned bucket)
{
	unsigned shift = bucket / SUB;

	if (shift == 0)
		return bucket;
	return (SUB + bucket % SUB + 0.5) * (double)(1ull << (shift - 1));
}

void
histogram_add(struct histogram *h, uint64_t ns)
{
	h->count++;
	if (ns > h->longest)
		h->longest = ns;
	h->buckets[bucket_of(ns)]++;
}

double
histogram_us(const struct histogram *h, double quantile)
{
	uint64_t before = (uint64_t)((double)h->count * quantile);
	uint64_t sum = 0;

	for (unsigned i = 0; i < METER_BUCKETS; i++) {
		sum += h->buckets[i];
		if (sum > before)
			return middle_of(i) / 1000;
	}
	return 0;
}
