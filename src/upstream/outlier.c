/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After Envoy's outlier detection.  What is left out on purpose: enforcement
 * by chance (a detector is on or off), and a success rate of what is local.
 */

#include "upstream/outlier.h"

/* One more in a row; true when there are enough, and they begin anew. */
static bool
is_enough(unsigned *count, unsigned most)
{
	if (most == 0 || ++*count < most)
		return false;
	*count = 0;
	return true;
}

static enum outlier_cause
note_gateway(const struct outlier_settings *s, struct outlier_host *h)
{
	bool is_gateway = is_enough(&h->gateway_errors, s->consecutive_gateway);

	if (is_enough(&h->errors, s->consecutive_5xx) && !is_gateway)
		return OUTLIER_CONSECUTIVE_5XX;
	return is_gateway ? OUTLIER_CONSECUTIVE_GATEWAY : OUTLIER_NONE;
}

static enum outlier_cause
note_local(const struct outlier_settings *s, struct outlier_host *h)
{
	bool is_local = is_enough(&h->local_errors, s->consecutive_local);
	enum outlier_cause other = OUTLIER_NONE;

	if (!s->splits_local) {
		h->bad++;
		other = note_gateway(s, h);
	}
	return is_local ? OUTLIER_CONSECUTIVE_LOCAL : other;
}

enum outlier_cause
outlier_note(const struct outlier_settings *s, struct outlier_host *h,
    enum outlier_result r)
{
	if (r == OUTLIER_LOCAL)
		return note_local(s, h);
	h->local_errors = 0;
	switch (r) {
	case OUTLIER_GOOD:
		h->good++;
		h->errors = h->gateway_errors = 0;
		break;
	case OUTLIER_ERROR:
		h->bad++;
		h->gateway_errors = 0;
		if (is_enough(&h->errors, s->consecutive_5xx))
			return OUTLIER_CONSECUTIVE_5XX;
		break;
	case OUTLIER_GATEWAY:
		h->bad++;
		return note_gateway(s, h);
	case OUTLIER_REACHED:
	case OUTLIER_LOCAL:
		break;
	}
	return OUTLIER_NONE;
}

uint64_t
outlier_time_ms(const struct outlier_settings *s, unsigned times)
{
	uint64_t most = s->most_ms > s->base_ms ? s->most_ms : s->base_ms;
	uint64_t ms = (uint64_t)s->base_ms * times;

	return ms < most ? ms : most;
}

bool
outlier_may_eject(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t now_ms)
{
	size_t i, out = 0;

	for (i = 0; i < n; i++)
		out += outlier_is_out(hosts[i], now_ms);
	if (s->most_percent == 0)
		return false;
	return out == 0 || (out + 1) * 100 <= n * s->most_percent;
}

void
outlier_eject(
    const struct outlier_settings *s, struct outlier_host *h, uint64_t now_ms)
{
	/* More would lengthen nothing, only take longer to be forgotten. */
	if (outlier_time_ms(s, h->times) < outlier_time_ms(s, h->times + 1))
		h->times++;
	h->until_ms = now_ms + outlier_time_ms(s, h->times);
	h->errors = h->gateway_errors = h->local_errors = 0;
}

static bool
is_counted(const struct outlier_host *h, unsigned volume, uint64_t now_ms)
{
	unsigned all = h->good + h->bad;

	return all > 0 && all >= volume && !outlier_is_out(h, now_ms);
}

/* Percent. */
static double
rate_of(const struct outlier_host *h)
{
	return 100.0 * h->good / (h->good + h->bad);
}

static size_t
count_hosts(struct outlier_host *const *hosts, size_t n, unsigned volume,
    uint64_t now_ms)
{
	size_t i, counted = 0;

	for (i = 0; i < n; i++)
		counted += is_counted(hosts[i], volume, now_ms);
	return counted;
}

struct spread {
	double mean;
	double variance;
};

static struct spread
spread_of(struct outlier_host *const *hosts, size_t n, size_t counted,
    unsigned volume, uint64_t now_ms)
{
	struct spread s = { .mean = 0 };
	double off;
	size_t i;

	for (i = 0; i < n; i++)
		if (is_counted(hosts[i], volume, now_ms))
			s.mean += rate_of(hosts[i]) / (double)counted;
	for (i = 0; i < n; i++) {
		if (!is_counted(hosts[i], volume, now_ms))
			continue;
		off = rate_of(hosts[i]) - s.mean;
		s.variance += off * off / (double)counted;
	}
	return s;
}

static void
judge_success_rate(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t now_ms,
    enum outlier_cause *causes)
{
	const unsigned volume = s->success_rate_volume;
	const double factor = s->success_rate_factor / 1000.0;
	size_t counted = count_hosts(hosts, n, volume, now_ms), i;
	struct spread all;
	double below;

	if (s->success_rate_factor == 0 || counted == 0 ||
	    counted < s->success_rate_hosts)
		return;
	all = spread_of(hosts, n, counted, volume, now_ms);
	for (i = 0; i < n; i++) {
		if (!is_counted(hosts[i], volume, now_ms))
			continue;
		below = all.mean - rate_of(hosts[i]);
		/* below > factor * deviation, without the root */
		if (below > 1e-9 &&
		    below * below > factor * factor * all.variance)
			causes[i] = OUTLIER_SUCCESS_RATE;
	}
}

static void
judge_failures(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t now_ms,
    enum outlier_cause *causes)
{
	const unsigned volume = s->failure_percent_volume;
	const struct outlier_host *h;
	size_t i;

	if (s->failure_percent == 0 ||
	    count_hosts(hosts, n, volume, now_ms) < s->failure_percent_hosts)
		return;
	for (i = 0; i < n; i++) {
		h = hosts[i];
		if (is_counted(h, volume, now_ms) &&
		    (uint64_t)h->bad * 100 >=
			(uint64_t)s->failure_percent * (h->good + h->bad))
			causes[i] = OUTLIER_FAILURE_PERCENT;
	}
}

/* A whole interval without an ejection makes the next one shorter. */
static void
forget_ejections(const struct outlier_settings *s, struct outlier_host *h,
    uint64_t start_ms, uint64_t now_ms)
{
	uint64_t from = h->until_ms > start_ms ? h->until_ms : start_ms, n = 0;

	if (now_ms > from && s->interval_ms > 0)
		n = (now_ms - from) / s->interval_ms;
	h->times = n < h->times ? h->times - (unsigned)n : 0;
}

void
outlier_interval(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t start_ms,
    uint64_t now_ms, enum outlier_cause *causes)
{
	size_t i;

	for (i = 0; i < n; i++)
		causes[i] = OUTLIER_NONE;
	judge_failures(s, hosts, n, now_ms, causes);
	judge_success_rate(s, hosts, n, now_ms, causes);
	for (i = 0; i < n; i++) {
		forget_ejections(s, hosts[i], start_ms, now_ms);
		hosts[i]->good = hosts[i]->bad = 0;
	}
}

const char *
outlier_cause_text(enum outlier_cause c)
{
	switch (c) {
	case OUTLIER_NONE:
		return "nothing";
	case OUTLIER_CONSECUTIVE_5XX:
		return "consecutive 5xx";
	case OUTLIER_CONSECUTIVE_GATEWAY:
		return "consecutive gateway failures";
	case OUTLIER_CONSECUTIVE_LOCAL:
		return "consecutive local failures";
	case OUTLIER_SUCCESS_RATE:
		return "a success rate far below the others'";
	case OUTLIER_FAILURE_PERCENT:
		return "too high a percentage of failures";
	}
	return "?";
}
