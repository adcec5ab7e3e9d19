/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and the messages in them.  The first byte picks a suite; the rest is
 * opened as it is (and never opens), then sealed and opened again, and cut into
 * messages in two ways that must agree.
 */

#include <string.h>

#include "fuzz.h"
#include "tls/late_message.h"
#include "tls/record.h"

static const struct {
	unsigned id;
	enum record_version version;
} suites[] = {
	{ 0x1301, RECORD_TLS_1_3 },
	{ 0x1302, RECORD_TLS_1_3 },
	{ 0x1303, RECORD_TLS_1_3 },
	{ 0xc02f, RECORD_TLS_1_2 },
	{ 0xc030, RECORD_TLS_1_2 },
	{ 0xcca8, RECORD_TLS_1_2 },
};

static void
make_keys(unsigned pick, struct record_key *sealing, struct record_key *opening)
{
	static const uint8_t secret[RECORD_SECRET_MOST], random[RECORD_RANDOM];
	const struct record_suite *s =
	    record_suite_find(suites[pick % ARRAY_LEN(suites)].id,
		suites[pick % ARRAY_LEN(suites)].version);
	struct record_key unused = { .seq = 0 };

	if (s->version == RECORD_TLS_1_3) {
		FUZZ_CHECK(record_key_from_secret(sealing, s, secret, true));
		FUZZ_CHECK(record_key_from_secret(opening, s, secret, false));
		return;
	}
	FUZZ_CHECK(record_keys_from_master(
	    sealing, &unused, s, secret, random, random, false));
	record_key_fini(&unused);
	FUZZ_CHECK(record_keys_from_master(
	    opening, &unused, s, secret, random, random, true));
	record_key_fini(&unused);
}

static void
open_raw(struct record_key *k, const uint8_t *p, size_t n)
{
	uint8_t *mine, *out;
	struct record r;
	size_t len;

	if (n < RECORD_HEADER || (len = record_len(p)) > n)
		return;
	/* Exactly as much memory as is promised to be enough. */
	mine = malloc(len);
	out = malloc(len);
	memcpy(mine, p, len);
	FUZZ_CHECK(!record_open(k, mine, len, out, &r));
	FUZZ_CHECK(r.alert != 0);
	free(mine);
	free(out);
}

static void
seal_and_open(struct record_key *sealing, struct record_key *opening,
    const uint8_t *p, size_t n)
{
	uint8_t *record, *out;
	struct record r;
	size_t len;

	if (n > RECORD_PLAIN)
		n = RECORD_PLAIN;
	record = malloc(n + RECORD_OVERHEAD_MOST);
	len = record_seal(sealing, RECORD_HANDSHAKE, p, n, record);
	FUZZ_CHECK(len > n && len <= n + RECORD_OVERHEAD_MOST);
	FUZZ_CHECK(record_len(record) == len);
	out = malloc(len);
	FUZZ_CHECK(record_open(opening, record, len, out, &r));
	FUZZ_CHECK(r.type == RECORD_HANDSHAKE && r.len == n);
	FUZZ_CHECK(n == 0 || memcmp(out, p, n) == 0);
	free(out);
	free(record);
}

/* A sum over the messages, given in pieces of `step` bytes. */
static uint64_t
sum_messages(const uint8_t *p, size_t n, size_t step)
{
	struct late_cut c = { .have = 0 };
	struct late_message m;
	struct str part;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i += step) {
		part.p = (const void *)(p + i);
		part.len = n - i < step ? n - i : step;
		while (part.len > 0) {
			if (late_message_next(&c, &part, &m) == LATE_MORE) {
				FUZZ_CHECK(part.len == 0);
				break;
			}
			sum = sum * 31 + m.type;
			sum = sum * 31 + m.len;
			sum = sum * 31 + (m.len > 0 ? m.first : 0);
		}
	}
	return sum * 2 + late_message_is_open(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct record_key sealing = { .seq = 0 }, opening = { .seq = 0 };

	if (n == 0)
		return 0;
	make_keys(data[0], &sealing, &opening);
	data++;
	n--;
	open_raw(&opening, data, n);
	seal_and_open(&sealing, &opening, data, n);
	record_key_fini(&sealing);
	record_key_fini(&opening);
	FUZZ_CHECK(sum_messages(data, n, 1) == sum_messages(data, n, n + 1));
	return 0;
}
