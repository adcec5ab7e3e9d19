/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to a collector, byte for byte: what is wanted was encoded by the
 * Python package opentelemetry-proto 1.27.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "conn/otlp_logs.h"

static struct arena arena;

static void
setup(void)
{
	arena_init(&arena, 0);
}

static void
teardown(void)
{
	arena_fini(&arena);
}

TestSuite(otlp_logs, .init = setup, .fini = teardown);

static struct mesh_log_value
value(const char *key, const char *format)
{
	struct mesh_log_value v = { .key = str_of(key) };
	struct text why = TEXT_EMPTY;

	cr_assert(
	    mesh_log_parse(&arena, str_of(format), &v, &why), "%s", why.p);
	return v;
}

static void
add(const struct mesh_log *log, struct text *out)
{
	static struct service api = {
		.mesh = { "default", 7 },
		.name = { "api", 3 },
	};
	struct log_entry e = { .number = { 0 } };

	e.text[LOG_METHOD] = STR("GET");
	e.text[LOG_IDENTITY] = STR("spiffe://default/web");
	e.number[LOG_STATUS] = 200;
	e.has_number[LOG_STATUS] = true;
	e.number[LOG_DURATION_MS] = 1500;
	e.has_number[LOG_DURATION_MS] = true;
	otlp_add_record(log, &api, &e, 1000000000000, out);
}

static char *
exported(const struct text *records)
{
	struct text message = TEXT_EMPTY, out = TEXT_EMPTY;

	otlp_add_export(text_str(records), &message);
	for (size_t i = 0; i < message.len; i++)
		text_addf(&out, "%02x", (unsigned char)message.p[i]);
	text_free(&message);
	return text_take(&out);
}

#define RESOURCE                                                         \
	"0a380a190a0c736572766963652e6e616d6512090a077a6567726573730a1b" \
	"0a086c6f675f6e616d65120f0a0d4d6573684163636573734c6f67"
#define SCOPE "0a090a077a656772657373"
#define CODE "320d0a04636f646512050a03323030"
#define OBSERVED "59000064a7b3b6e00d"
#define RECORD_OF_TEXT \
	"122f0900d1fb4db3b6e00d2a0c0a0a47455420627920776562" CODE OBSERVED
#define RECORD_OF_PAIRS                                                  \
	"12430900d1fb4db3b6e00d2a20321e0a110a046d65736812090a0764656661" \
	"756c740a090a026e6f12030a012d" CODE OBSERVED

Test(otlp_logs, export)
{
	struct mesh_log_value code = value("code", "%RESPONSE_CODE%");
	struct mesh_log_value text =
	    value("", "%REQ(:METHOD)% by %KUMA_SOURCE_SERVICE%");
	struct mesh_log_value pairs[] = {
		value("mesh", "%KUMA_MESH%"),
		value("no", "%GRPC_STATUS%"),
	};
	struct mesh_log log = {
		.kind = MESH_LOG_KIND_OTLP,
		.values = &text,
		.n_values = 1,
		.attributes = &code,
		.n_attributes = 1,
	};
	struct text records = TEXT_EMPTY;
	char *is;

	add(&log, &records);
	is = exported(&records);
	cr_expect_str_eq(
	    is, "000000007a0a78" RESOURCE "123c" SCOPE RECORD_OF_TEXT);
	free(is);
	log.is_json = true;
	log.values = pairs;
	log.n_values = ARRAY_LEN(pairs);
	add(&log, &records);
	is = exported(&records);
	cr_expect_str_eq(is, "00000000c10abe01" RESOURCE
			     "128101" SCOPE RECORD_OF_TEXT RECORD_OF_PAIRS);
	free(is);
	text_free(&records);
}
