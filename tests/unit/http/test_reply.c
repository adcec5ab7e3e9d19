/* SPDX-License-Identifier: Apache-2.0 */
/* http/reply.h: local answers to gRPC (others: test_h1_answer.c). */

#include "http/reply.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "unit/http/session_rig.h"

static const struct {
	const char *type;
	bool is_grpc;
} types[] = {
	{ "application/grpc", true },
	{ "application/grpc+proto", true },
	{ "Application/gRPC+json; charset=x", true },
	{ "application/grpc;x=y", true },
	{ "application/grpc ;x=y", true },
	{ "application/grpc-web", false },
	{ "application/grpc-web+proto", false },
	{ "application/grpc-web-text", false },
	{ "application/grpcx", false },
	{ "application/grp", false },
	{ "application/json", false },
	{ "", false },
	{ NULL, false },
};

Test(reply, who_speaks_grpc)
{
	struct head h;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		head_init(&h);
		if (types[i].type != NULL)
			head_add(
			    &h, STR("Content-Type"), str_of(types[i].type));
		cr_expect_eq(reply_is_for_grpc(&h), types[i].is_grpc, "%s",
		    types[i].type == NULL ? "none" : types[i].type);
	}
}

/* clang-format off */
static const struct {
	uint16_t status;
	const char *message;
	const char *want; /* behind the content type */
} replies[] = {
	{ 403, "RBAC: access denied", "grpc-status: 7\r\ngrpc-message: RBAC: access denied\r\n" },
	{ 400, "", "grpc-status: 13\r\n" },
	{ 401, "", "grpc-status: 16\r\n" },
	{ 404, "", "grpc-status: 12\r\n" },
	{ 413, "", "grpc-status: 8\r\n" },
	{ 418, "", "grpc-status: 2\r\n" },
	{ 429, "", "grpc-status: 14\r\n" },
	{ 431, "", "grpc-status: 8\r\n" },
	{ 500, "", "grpc-status: 13\r\n" },
	{ 501, "", "grpc-status: 12\r\n" },
	{ 502, "", "grpc-status: 14\r\n" },
	{ 503, "no healthy upstream", "grpc-status: 14\r\ngrpc-message: no healthy upstream\r\n" },
	{ 504, "", "grpc-status: 4\r\n" },
	{ 503, "100%\r\n~\x7f\xc3\xa4\t", "grpc-status: 14\r\ngrpc-message: 100%25%0D%0A~%7F%C3%A4%09\r\n" },
};
/* clang-format on */

static void
take_request(struct rig *r)
{
	struct head *h;

	rig_open(r, H1_SERVER);
	rig_send(r, STR("POST / HTTP/1.1\r\nHost: a\r\n\r\n"));
	cr_assert_eq(rig_pull_head(r, &h), PULL_DATA);
}

Test(reply, grpc_reads_it_in_the_head)
{
	struct text want = TEXT_EMPTY;
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		take_request(&r);
		reply_push_grpc(
		    r.stream, &(struct reply){ .status = replies[i].status,
				  .body = str_of(replies[i].message) });
		text_clear(&want);
		text_addf(&want,
		    "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n%s"
		    "Content-Length: 0\r\n\r\n",
		    replies[i].want);
		rig_expect_got(&r, want.p);
		rig_release(&r, true);
		cr_expect(h1_session_can_reuse(r.session));
		rig_close(&r);
	}
	text_free(&want);
}

Test(reply, grpc_is_told_to_go_too)
{
	struct rig r;

	take_request(&r);
	reply_push_grpc(
	    r.stream, &(struct reply){ .status = 403, .says_close = true });
	rig_expect_got(&r,
	    "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n"
	    "grpc-status: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

/* Never in the middle of an escape. */
Test(reply, a_long_message_is_cut)
{
	struct text message = TEXT_EMPTY;
	struct str got;
	struct rig r;
	size_t i;

	for (i = 0; i < 1000; i++)
		text_add_char(&message, '%');
	take_request(&r);
	reply_push_grpc(r.stream,
	    &(struct reply){ .status = 503, .body = text_str(&message) });
	rig_turn(&r);
	text_add_char(&r.got, '\0');
	got = str_of(strstr(r.got.p, "grpc-message: "));
	got = str_from(got, strlen("grpc-message: "));
	for (i = 0; str_starts(got, STR("%25")); i++)
		got = str_from(got, 3);
	cr_expect(str_starts(got, STR("\r\n")));
	cr_expect_gt(i, 100);
	text_free(&message);
	rig_close(&r);
}

/* Statuses that have no body, as policies may ask for them. */
Test(reply, without_a_body)
{
	struct rig r;

	take_request(&r);
	reply_push(
	    r.stream, &(struct reply){ .status = 204, .body = STR("nothing") });
	rig_expect_got(&r, "HTTP/1.1 204 No Content\r\n\r\n");
	rig_release(&r, true);
	cr_expect(h1_session_can_reuse(r.session));
	rig_close(&r);
}
