/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field numbers are those of common/v1/common.proto,
 * resource/v1/resource.proto, logs/v1/logs.proto and
 * collector/logs/v1/logs_service.proto.
 */

#include "conn/otlp_logs.h"

#include "conn/mesh_log_line.h"

enum wire_type { VARINT, FIXED64, BYTES };

static void
add_varint(struct text *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		text_add_char(out, (char)(n | 0x80));
	text_add_char(out, (char)n);
}

static void
add_tag(struct text *out, unsigned field, enum wire_type type)
{
	static const uint8_t numbers[] = {
		[VARINT] = 0,
		[FIXED64] = 1,
		[BYTES] = 2,
	};

	add_varint(out, field << 3 | numbers[type]);
}

static void
add_bytes(struct text *out, unsigned field, struct str s)
{
	add_tag(out, field, BYTES);
	add_varint(out, s.len);
	text_add(out, s);
}

static void
add_fixed64(struct text *out, unsigned field, uint64_t n)
{
	int i;

	add_tag(out, field, FIXED64);
	for (i = 0; i < 64; i += 8)
		text_add_char(out, (char)(n >> i));
}

/* KeyValue with an AnyValue of text. */
static void
add_pair(struct text *out, unsigned field, struct str key, struct str value)
{
	struct text any = TEXT_EMPTY, pair = TEXT_EMPTY;

	add_bytes(&any, 1, value); /* string_value */
	add_bytes(&pair, 1, key);
	add_bytes(&pair, 2, text_str(&any));
	add_bytes(out, field, text_str(&pair));
	text_free(&any);
	text_free(&pair);
}

static void
add_values(struct text *out, unsigned field, struct mesh_log_source *from,
    const struct mesh_log *log, const struct mesh_log_value *v, size_t n)
{
	struct text value = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < n; i++) {
		text_clear(&value);
		mesh_log_text(log, &v[i], from, &value);
		add_pair(out, field, v[i].key, text_str(&value));
	}
	text_free(&value);
}

/* An AnyValue: text, or a list of pairs. */
static void
add_body(
    struct text *out, struct mesh_log_source *from, const struct mesh_log *log)
{
	struct text inner = TEXT_EMPTY, any = TEXT_EMPTY;

	if (log->is_json) {
		add_values(&inner, 1, from, log, log->values, log->n_values);
		add_bytes(&any, 6, text_str(&inner)); /* kvlist_value */
	} else {
		mesh_log_text(log, &log->values[0], from, &inner);
		add_bytes(&any, 1, text_str(&inner)); /* string_value */
	}
	add_bytes(out, 5, text_str(&any));
	text_free(&inner);
	text_free(&any);
}

void
otlp_add_record(const struct mesh_log *log, const struct service *s,
    const struct log_entry *e, int64_t wall_ms, struct text *out)
{
	struct mesh_log_source from = mesh_log_source(s, e, wall_ms);
	struct text record = TEXT_EMPTY;

	/* time_unix_nano: when it began, as START_TIME */
	add_fixed64(&record, 1, mesh_log_start_ms(&from) * 1000000);
	add_body(&record, &from, log);
	add_values(&record, 6, &from, log, log->attributes, log->n_attributes);
	/* observed_time_unix_nano */
	add_fixed64(&record, 11, (uint64_t)wall_ms * 1000000);
	add_bytes(out, 2, text_str(&record));
	text_free(&record);
}

void
otlp_add_export(struct str records, struct text *out)
{
	struct text resource = TEXT_EMPTY, scope = TEXT_EMPTY, all = TEXT_EMPTY;
	struct text request = TEXT_EMPTY;
	size_t i;

	add_pair(&resource, 1, STR("service.name"), STR("zegress"));
	add_pair(&resource, 1, STR("log_name"), STR("MeshAccessLog"));
	add_bytes(&scope, 1, STR("zegress")); /* name */
	add_bytes(&all, 1, text_str(&resource));
	/* ScopeLogs: its scope, and the records as they are. */
	add_tag(&all, 2, BYTES);
	add_varint(&all, 2 + scope.len + records.len);
	add_bytes(&all, 1, text_str(&scope));
	text_add(&all, records);
	add_bytes(&request, 1, text_str(&all));
	text_add_char(out, 0); /* not compressed */
	for (i = 32; i > 0; i -= 8)
		text_add_char(out, (char)((uint64_t)request.len >> (i - 8)));
	text_add(out, text_str(&request));
	text_free(&resource);
	text_free(&scope);
	text_free(&all);
	text_free(&request);
}
