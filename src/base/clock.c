/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one source of time.  The hands that tests set are process-wide, as the
 * kernel's are.  Any thread.
 */

#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static struct {
	atomic_bool is_set;
	_Atomic uint64_t ms;
	_Atomic int64_t wall_ms;
} hands;

static int64_t
read_us(clockid_t id)
{
	struct timespec ts;

	/* Neither of the clocks that we ask for can fail. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

uint64_t
clock_us(void)
{
	if (atomic_load(&hands.is_set))
		return atomic_load(&hands.ms) * 1000;
	return (uint64_t)read_us(CLOCK_MONOTONIC);
}

/* Rounded down, also before 1970. */
static int64_t
floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0 ? 1 : 0);
}

int64_t
clock_wall_s(void)
{
	struct timespec ts;

	if (atomic_load(&hands.is_set))
		return floor_div(atomic_load(&hands.wall_ms), 1000);
	/* As old as the last tick of the kernel, and cheap. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec;
}

int64_t
clock_wall_ms(void)
{
	if (atomic_load(&hands.is_set))
		return atomic_load(&hands.wall_ms);
	return floor_div(read_us(CLOCK_REALTIME), 1000);
}

/* The digits of n, the last one first; what does not fit is left out. */
static char *
put_digits(char *to, unsigned n, unsigned width, char after)
{
	unsigned i;

	for (i = width; i > 0; i--) {
		to[i - 1] = (char)('0' + n % 10);
		n /= 10;
	}
	to[width] = after;
	return to + width + 1;
}

void
clock_print(int64_t wall_ms, char out[CLOCK_TEXT])
{
	int64_t s = floor_div(wall_ms, 1000);
	unsigned ms = (unsigned)(wall_ms - s * 1000);
	time_t at = s;
	struct tm tm;
	char *to = out;

	/* RFC 3339 has years of four digits, and no others. */
	if (gmtime_r(&at, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 8099) {
		snprintf(out, CLOCK_TEXT, "%s",
		    wall_ms < 0 ? "0000-01-01T00:00:00.000Z"
				: "9999-12-31T23:59:59.999Z");
		return;
	}
	to = put_digits(to, (unsigned)(tm.tm_year + 1900), 4, '-');
	to = put_digits(to, (unsigned)tm.tm_mon + 1, 2, '-');
	to = put_digits(to, (unsigned)tm.tm_mday, 2, 'T');
	to = put_digits(to, (unsigned)tm.tm_hour, 2, ':');
	to = put_digits(to, (unsigned)tm.tm_min, 2, ':');
	to = put_digits(to, (unsigned)tm.tm_sec, 2, '.');
	to = put_digits(to, ms, 3, 'Z');
	*to = '\0';
}

void
clock_fake(uint64_t ms, int64_t wall_ms)
{
	atomic_store(&hands.ms, ms);
	atomic_store(&hands.wall_ms, wall_ms);
	atomic_store(&hands.is_set, true);
}

void
clock_unfake(void)
{
	atomic_store(&hands.is_set, false);
}
