/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC as it is on the wire: four shapes, deadlines, and our own answers. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define GRPC "content-type: application/grpc\nte: trailers\n"

static const struct server_options manual = { .is_manual = true };

/* A message of one to 255 bytes, with its prefix. */
static struct said
framed(const char *text, char buffer[300])
{
	size_t n = strlen(text);

	memcpy(buffer, "\0\0\0\0", 4);
	buffer[4] = (char)n;
	memcpy(buffer + 5, text, n);
	return (struct said){ .body = buffer, .n = n + 5, .stays_open = true };
}

static struct h2_talk *
invoke(struct h2_peer *c, const char *path)
{
	return h2_ask(c, &(struct said){ .method = "POST",
			     .path = path,
			     .fields = GRPC "grpc-timeout: 5S\n",
			     .stays_open = true });
}

static void
send_message(struct h2_talk *t, const char *text)
{
	char b[300];
	const struct said s = framed(text, b);

	h2_more(t, &s);
}

/* True once the messages that came are these, one after the other. */
static bool
has_messages(const struct h2_talk *t, const char *const *texts)
{
	char want[1024], b[300];
	size_t n = 0;

	for (; *texts != NULL; texts++) {
		struct said s = framed(*texts, b);

		memcpy(want + n, b, s.n);
		n += s.n;
	}
	return t->in->body.n == n &&
	       (n == 0 || memcmp(t->in->body.p, want, n) == 0);
}

#define HAS(t, ...) has_messages(t, (const char *const[]){ __VA_ARGS__, NULL })

static void
begin_answer(struct h2_talk *there)
{
	h2_answer(there, &(struct said){ .status = 200,
			     .fields = "content-type: application/grpc\n",
			     .stays_open = true });
}

static void
check_end(struct rig *r, struct h2_talk *t, struct h2_talk *there)
{
	h2_finish(there, "grpc-status: 0\ngrpc-message: fine\n");
	cr_expect(UNTIL(r, t->in->ended));
	cr_expect_eq(t->in->status, 200);
	cr_expect_str_eq(bytes_text(&t->in->trailers),
	    "grpc-status: 0\ngrpc-message: fine\n");
	cr_expect_not(t->in->was_reset);
}

/* One message each way; and what the server sees of the head. */
static void
check_unary(struct rig *r, struct h2_peer *c, struct server *s)
{
	struct h2_talk *t = invoke(c, "/pkg.Svc/Unary"), *there;

	send_message(t, "ask");
	h2_finish(t, NULL);
	there = came_talk(came_h2(s, 0), r, 0);
	cr_expect(UNTIL(r, there->in->ended));
	cr_expect(HAS(there, "ask"));
	cr_expect_str_eq(message_field(there->in, ":path"), "/pkg.Svc/Unary");
	cr_expect_str_eq(message_field(there->in, "grpc-timeout"), "5S");
	cr_expect_str_eq(message_field(there->in, "te"), "trailers");
	cr_expect_str_eq(
	    message_field(there->in, "content-type"), "application/grpc");
	begin_answer(there);
	send_message(there, "answer");
	cr_expect(UNTIL(r, HAS(t, "answer")));
	check_end(r, t, there);
}

/* Many from the server, each as it is said. */
static void
check_down(struct rig *r, struct h2_peer *c, struct server *s)
{
	struct h2_talk *t = invoke(c, "/pkg.Svc/Down"), *there;

	send_message(t, "ask");
	h2_finish(t, NULL);
	there = came_talk(came_h2(s, 0), r, 1);
	begin_answer(there);
	send_message(there, "one");
	cr_expect(UNTIL(r, HAS(t, "one")));
	send_message(there, "two");
	cr_expect(UNTIL(r, HAS(t, "one", "two")));
	send_message(there, "three");
	cr_expect(UNTIL(r, HAS(t, "one", "two", "three")));
	check_end(r, t, there);
}

/* Many from the caller. */
static void
check_up(struct rig *r, struct h2_peer *c, struct server *s)
{
	struct h2_talk *t = invoke(c, "/pkg.Svc/Up");
	struct h2_talk *there = came_talk(came_h2(s, 0), r, 2);

	send_message(t, "one");
	cr_expect(UNTIL(r, HAS(there, "one")));
	send_message(t, "two");
	cr_expect(UNTIL(r, HAS(there, "one", "two")));
	cr_expect_not(there->in->ended);
	h2_finish(t, NULL);
	cr_expect(UNTIL(r, there->in->ended));
	begin_answer(there);
	send_message(there, "sum");
	cr_expect(UNTIL(r, HAS(t, "sum")));
	check_end(r, t, there);
}

/* Both, the answer's head before the first message, and in turns. */
static void
check_both(struct rig *r, struct h2_peer *c, struct server *s)
{
	struct h2_talk *t = invoke(c, "/pkg.Svc/Both");
	struct h2_talk *there = came_talk(came_h2(s, 0), r, 3);

	begin_answer(there);
	cr_expect(UNTIL(r, t->in->has_head));
	send_message(t, "a");
	cr_expect(UNTIL(r, HAS(there, "a")));
	send_message(there, "A");
	cr_expect(UNTIL(r, HAS(t, "A")));
	send_message(t, "b");
	cr_expect(UNTIL(r, HAS(there, "a", "b")));
	send_message(there, "B");
	cr_expect(UNTIL(r, HAS(t, "A", "B")));
	h2_finish(t, NULL);
	cr_expect(UNTIL(r, there->in->ended));
	check_end(r, t, there);
}

Test(grpc, four_shapes)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "grpc", &manual);
	struct h2_peer *c = call_h2(&r, "api");

	check_unary(&r, c, s);
	check_down(&r, c, s);
	check_up(&r, c, s);
	check_both(&r, c, s);
	cr_expect_eq(s->n_came, 1);
	cr_expect_not_null(egress_log_line(
	    r.w.e, "\"grpc_status\":\"0\"", "\"path\":\"/pkg.Svc/Both\""));
	rig_end(&r);
}

/* An answer that is all in its head. */
Test(grpc, trailers_only_of_the_server)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "grpc", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = invoke(c, "/pkg.Svc/None"), *there;

	there = came_talk(came_h2(s, 0), &r, 0);
	h2_answer(there,
	    &(struct said){ .status = 200,
		.fields =
		    "content-type: application/grpc\ngrpc-status: 12\n" });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_str_eq(message_field(t->in, "grpc-status"), "12");
	cr_expect_eq(bytes_text(&t->in->trailers)[0], '\0');
	cr_expect_not_null(egress_log_line(
	    r.w.e, "\"grpc_status\":\"12\"", "\"path\":\"/pkg.Svc/None\""));
	rig_end(&r);
}

/* At once, and with the message that is half sent. */
Test(grpc, cancellation)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "grpc", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = invoke(c, "/pkg.Svc/Both"), *there;

	there = came_talk(came_h2(s, 0), &r, 0);
	begin_answer(there);
	send_message(there, "one");
	cr_expect(UNTIL(&r, HAS(t, "one")));
	h2_reset(t, CODE_CANCEL);
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect_eq(there->in->reset_code, CODE_CANCEL);
	cr_expect(has_outcome(r.w.e, "caller_reset", "/pkg.Svc/Both"));
	rig_end(&r);
}

/* All in one head, so that a client of gRPC reads a status. */
static void
check_local(struct rig *r, struct h2_talk *t, const char *status)
{
	cr_expect(UNTIL(r, t->in->ended), "grpc-status %s", status);
	cr_expect_eq(t->in->status, 200);
	cr_expect_str_eq(
	    message_field(t->in, "content-type"), "application/grpc");
	cr_expect(message_field(t->in, "grpc-status") != NULL &&
		      strcmp(message_field(t->in, "grpc-status"), status) == 0,
	    "%s: %s", status, bytes_text(&t->in->head));
	cr_expect_eq(t->in->n_body, 0);
	cr_expect_eq(bytes_text(&t->in->trailers)[0], '\0');
}

Test(grpc, local_replies)
{
	struct rig r;
	struct server *s;
	struct h2_peer *c;
	struct h2_talk *t;

	rig_init(&r, "limits = { body_bytes = 10; };");
	s = rig_serve(&r, &manual);
	rig_service(&r, "api", "grpc", s);
	rig_service(&r, "denied", "grpc", s);
	rig_service(&r, "mixed", "http2", s);
	write_es(r.w.e,
	    &(struct es){
		.name = "none", .protocol = "grpc", .port = free_port() });
	write_permission(
	    r.w.e, "no-web", "denied", "kind: MeshService, name: web", "Deny");
	write_permission(
	    r.w.e, "no-mix", "mixed", "kind: MeshService, name: web", "Deny");
	rig_start(&r);
	/* PERMISSION_DENIED, UNAVAILABLE */
	check_local(&r, invoke(call_h2(&r, "denied"), "/pkg.Svc/M"), "7");
	check_local(&r, invoke(call_h2(&r, "none"), "/pkg.Svc/M"), "14");
	/* By the request, not by the service's protocol. */
	c = call_h2(&r, "mixed");
	check_local(&r, invoke(c, "/pkg.Svc/M"), "7");
	t = h2_ask(c, &(struct said){ .path = "/" });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 403);
	cr_expect_str_eq(bytes_text(&t->in->body), "RBAC: access denied");
	/* RESOURCE_EXHAUSTED */
	t = h2_ask(call_h2(&r, "api"),
	    &(struct said){ .method = "POST", .fields = GRPC, .n = 11 });
	check_local(&r, t, "8");
	/* The connection serves on. */
	check_local(&r, invoke(c, "/pkg.Svc/Again"), "7");
	cr_expect_not_null(
	    egress_log_line(r.w.e, "\"grpc_status\":\"7\"", "/pkg.Svc/Again"));
	rig_end(&r);
}

/* The server resets, or dies, before its answer. */
Test(grpc, failures_of_the_server)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "grpc", &manual);
	struct h2_peer *c = call_h2(&r, "api"), *up;
	struct h2_talk *t = invoke(c, "/pkg.Svc/M");

	up = came_h2(s, 0);
	h2_reset(came_talk(up, &r, 0), CODE_INTERNAL_ERROR);
	check_local(&r, t, "14");
	t = invoke(c, "/pkg.Svc/M");
	(void)came_talk(up, &r, 1);
	line_reset(up->line);
	check_local(&r, t, "14");
	rig_end(&r);
}

/* The service's own time, which Kuma and we do not set by themselves. */
Test(grpc, request_ms)
{
	struct rig r;
	struct server *s = rig_start_one(&r,
	    "services = ( { match = { service = \"api\"; }; "
	    "request_ms = 200; } );",
	    "grpc", &manual);
	struct h2_talk *t = invoke(call_h2(&r, "api"), "/pkg.Svc/M"), *there;

	there = came_talk(came_h2(s, 0), &r, 0);
	check_local(&r, t, "4");
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect_eq(there->in->reset_code, CODE_CANCEL);
	rig_end(&r);
}
