/* SPDX-License-Identifier: Apache-2.0 */
/* http/head.h: known names, edits, and what may not pass a gateway. */

#include <criterion/criterion.h>
#include <ctype.h>

#include "http/head.h"

static const struct {
	enum field_id id;
	struct str name;
} known[] = {
#define FIELD(id, name, flags) { FIELD_##id, STR(name) },
#include "http/field.tbl.h"
};

static enum field_id
id_in_case(struct str name, int (*fold)(int c))
{
	char copy[64];

	for (size_t i = 0; i < name.len; i++)
		copy[i] = (char)fold((unsigned char)name.p[i]);
	return field_id_of((struct str){ copy, name.len });
}

Test(head, every_row_of_the_table_is_found_in_any_case)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		cr_expect_eq(field_id_of(known[i].name), known[i].id, "%s",
		    known[i].name.p);
		cr_expect_eq(id_in_case(known[i].name, toupper), known[i].id,
		    "%s in upper case", known[i].name.p);
	}
}

Test(head, a_name_with_one_byte_changed_is_another_field)
{
	char copy[64];

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		for (size_t at = 0; at < known[i].name.len; at++) {
			memcpy(copy, known[i].name.p, known[i].name.len);
			copy[at] = '!';
			cr_expect_eq(field_id_of((struct str){
					 copy, known[i].name.len }),
			    FIELD_OTHER, "%s at %zu", known[i].name.p, at);
		}
		cr_expect_eq(field_id_of(str_from(known[i].name, 1)),
		    FIELD_OTHER, "%s cut", known[i].name.p);
	}
}

Test(head, unknown_names_are_other)
{
	static const char *const names[] = { "a", "x-", "ETag", "Accept",
		"Accept-Encoding", "User-Agent", "Set-Cookie",
		"Content-Lengthy", "If-None-Match", "Host_", "X_Request_Id" };

	cr_expect_eq(field_id_of(STR_NONE), FIELD_OTHER);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect_eq(
		    field_id_of(str_of(names[i])), FIELD_OTHER, "%s", names[i]);
}

static struct field
field(const char *name, const char *value)
{
	return (struct field){ .id = field_id_of(str_of(name)),
		.name = str_of(name),
		.value = str_of(value) };
}

/* The names that are left, comma separated. */
static void
expect_left(const struct head *h, const char *want)
{
	struct text got = TEXT_EMPTY;

	for (size_t i = 0; i < h->n_fields; i++) {
		if (h->fields[i].is_removed)
			continue;
		text_add_z(&got, got.len > 0 ? "," : "");
		text_add(&got, h->fields[i].name);
	}
	cr_expect(str_eq(text_str(&got), str_of(want)), "'%s', not '%s'",
	    got.p == NULL ? "" : got.p, want);
	text_free(&got);
}

Test(head, get_finds_the_first_that_is_left_and_then_what_was_added)
{
	struct field fields[] = { field("X-Request-Id", "1"),
		field("x-request-id", "2") };
	struct head h;

	head_init(&h);
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	cr_expect(str_eq(head_get(&h, FIELD_X_REQUEST_ID), STR("1")));
	fields[0].is_removed = true;
	cr_expect(str_eq(head_get(&h, FIELD_X_REQUEST_ID), STR("2")));
	head_remove(&h, FIELD_X_REQUEST_ID);
	cr_expect_null(head_get(&h, FIELD_X_REQUEST_ID).p);
	head_add(&h, STR("X-Request-ID"), STR("3"));
	cr_expect(str_eq(head_get(&h, FIELD_X_REQUEST_ID), STR("3")));
	head_remove(&h, FIELD_X_REQUEST_ID);
	cr_expect_null(head_get(&h, FIELD_X_REQUEST_ID).p);
}

Test(head, a_present_field_without_value_is_not_a_missing_one)
{
	struct field fields[] = { field("TE", "") };
	struct head h;

	head_init(&h);
	h.fields = fields;
	h.n_fields = 1;
	cr_expect_not_null(head_get(&h, FIELD_TE).p);
	cr_expect_null(head_get(&h, FIELD_HOST).p);
}

Test(head, remove_by_name_takes_all_of_any_case)
{
	struct field fields[] = { field("X-A", "1"), field("x-a", "2"),
		field("X-AB", "3") };
	struct head h;

	head_init(&h);
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	head_remove_name(&h, STR("x-A"));
	expect_left(&h, "X-AB");
}

Test(head, hop_by_hop_fields_and_the_named_ones_go)
{
	struct field fields[] = {
		field("Accept", "a"),
		field("X-Named", "b"),
		field("Connection", "close, x-nAMED ,,Keep-Alive, connection"),
		field("Connection", "x-second"),
		field("X-Second", "c"),
		field("Keep-Alive", "timeout=5"),
		field("Proxy-Connection", "keep-alive"),
		field("Proxy-Authorization", "secret"),
		field("TE", "trailers"),
		field("Trailer", "x-sum"),
		field("Upgrade", "h2c"),
		field("Transfer-Encoding", "chunked"),
		field("Proxy-Authenticate", "Basic"),
		field("X-Kept", "d"),
	};
	struct head h;

	head_init(&h);
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	h.wants_close = true;
	h.upgrade = STR("websocket");
	h.takes_trailers = true;
	head_add(&h, STR("x-second"), STR("ours"));
	head_remove_hop_by_hop(&h);
	expect_left(&h, "Accept,Trailer,Proxy-Authenticate,X-Kept");
	cr_expect_not(h.wants_close);
	cr_expect_not(h.added[0].is_removed, "what we added is not theirs");
	cr_expect(str_eq(h.upgrade, STR("websocket")), "it says what is meant");
	cr_expect(h.takes_trailers);
}

Test(head, places_of_removed_additions_are_used_again)
{
	struct head h;

	head_init(&h);
	for (size_t i = 0; i < HEAD_ADDED_MAX; i++)
		head_add(&h, i % 2 == 0 ? STR("a") : STR("b"), STR("1"));
	head_remove_name(&h, STR("a"));
	for (size_t i = 0; i < HEAD_ADDED_MAX / 2; i++)
		head_add(&h, STR("Via"), STR("2"));
	cr_expect_eq(h.n_added, HEAD_ADDED_MAX);
	for (size_t i = 0; i < h.n_added; i++) {
		cr_expect_not(h.added[i].is_removed);
		cr_expect(str_eq(
		    h.added[i].name, i % 2 == 0 ? STR("Via") : STR("b")));
	}
	cr_expect(str_eq(head_get(&h, FIELD_VIA), STR("2")));
}
