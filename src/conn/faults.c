/* SPDX-License-Identifier: Apache-2.0 */
/* See faults.h. */

#include "conn/faults.h"

static bool
happens(unsigned chance, uint32_t (*dice)(uint32_t))
{
	return chance >= CHANCE_ALWAYS ||
	       (chance > 0 && dice(CHANCE_ALWAYS) < chance);
}

static void
add_delay(struct faults *f, const struct fault_rule *r)
{
	f->delay_ms += r->delay_ms;
	f->delay_by = r->origin;
}

static void
narrow(struct faults *f, const struct fault_rule *r)
{
	if (f->bytes_per_s != 0 && f->bytes_per_s <= r->bytes_per_s)
		return;
	f->bytes_per_s = r->bytes_per_s;
	f->pace_by = r->origin;
}

struct faults
faults_draw(const struct traffic_policy *t, const struct identity *id,
    uint32_t (*dice)(uint32_t))
{
	const struct fault_rule *r = NULL;
	struct faults f = { .delay_ms = 0 };

	while ((r = traffic_fault(t, r, id)) != NULL) {
		if (r->delay_ms > 0 && happens(r->delay_chance, dice))
			add_delay(&f, r);
		if (r->bytes_per_s > 0 && happens(r->bandwidth_chance, dice))
			narrow(&f, r);
		if (r->abort_status > 0 && happens(r->abort_chance, dice)) {
			f.abort_status = r->abort_status;
			f.abort_by = r->origin;
			break;
		}
	}
	return f;
}

static void
print(struct text *out, const char *what, uint64_t n, const char *unit,
    struct str by)
{
	if (n > 0)
		text_addf(out, "%s%s%llu%s by %.*s", out->len > 0 ? ", " : "",
		    what, (unsigned long long)n, unit, STR_ARG(by));
}

void
faults_print(const struct faults *f, struct text *out)
{
	print(out, "delay of ", f->delay_ms, " ms", f->delay_by);
	print(out, "abort with ", f->abort_status, "", f->abort_by);
	print(out, "bandwidth of ", f->bytes_per_s, " bytes/s", f->pace_by);
}
