/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See upgrade.h.  A request is read once, as the caller's version tells it,
 * and may then be told in the server's as often as it is sent.  No state but
 * the caller's; any thread.
 */

#include "conn/upgrade.h"

#include "base/digest.h"
#include "base/rng.h"

#define KEY_BYTES 16

static const struct str key_name = { "sec-websocket-key", 17 };
static const struct str accept_name = { "sec-websocket-accept", 20 };
static const struct str version_name = { "sec-websocket-version", 21 };

static void
count_named(const struct field *f, size_t n, struct str name, struct str *value,
    unsigned *found)
{
	for (size_t i = 0; i < n; i++) {
		if (f[i].is_removed || !str_eq_nocase(f[i].name, name))
			continue;
		*value = f[i].value;
		++*found;
	}
}

/* How often it is there; value: the last one. */
static unsigned
find_named(const struct head *h, struct str name, struct str *value)
{
	unsigned found = 0;

	*value = STR_NONE;
	count_named(h->fields, h->n_fields, name, value, &found);
	count_named(h->added, h->n_added, name, value, &found);
	return found;
}

static void
encode(const uint8_t *bytes, size_t n, char *out)
{
	struct text t = TEXT_EMPTY;

	base64_encode((struct str){ (const void *)bytes, n }, &t);
	memcpy(out, t.p, t.len + 1);
	text_free(&t);
}

/* The answer that a key asks for (RFC 6455, section 4.2.2). */
static void
compute_accept(const char *key, char *accept)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char both[UPGRADE_KEY_TEXT - 1 + sizeof(guid)];
	uint8_t hash[DIGEST_SHA1_LEN];

	memcpy(both, key, UPGRADE_KEY_TEXT - 1);
	memcpy(both + UPGRADE_KEY_TEXT - 1, guid, sizeof(guid));
	digest_sha1(str_of(both), hash);
	encode(hash, sizeof(hash), accept);
}

static void
make_key(struct upgrade *u)
{
	uint8_t bytes[KEY_BYTES];

	rng_kernel(bytes, sizeof(bytes));
	encode(bytes, sizeof(bytes), u->key);
	compute_accept(u->key, u->accept);
}

static bool
is_key(struct str s)
{
	struct text bytes = TEXT_EMPTY;
	bool is_fine = s.len == UPGRADE_KEY_TEXT - 1 &&
		       base64_decode(s, &bytes) && bytes.len == KEY_BYTES;

	text_free(&bytes);
	return is_fine;
}

static bool
take_key(struct upgrade *u, const struct head *q)
{
	struct str key;

	if (find_named(q, key_name, &key) != 1 || !is_key(key))
		return false;
	memcpy(u->key, key.p, key.len);
	u->key[key.len] = '\0';
	compute_accept(u->key, u->accept);
	return true;
}

/*
 * HTTP inside of a tunnel would pass all that is asked of requests, whoever
 * listed it.
 */
static bool
is_http(struct str token)
{
	struct str name = str_cut(&token, '/');

	return str_eq_nocase(name, STR("h2c")) ||
	       str_eq_nocase(name, STR("h2")) ||
	       str_eq_nocase(name, STR("HTTP"));
}

static bool
is_possible(const struct upgrade *u, struct str token, enum http_version to)
{
	return !is_http(token) && (u->is_websocket || u->from == to);
}

/* As the caller's version tells it. */
static enum upgrade_ask
read_request(struct upgrade *u, const struct head *q, enum http_version to)
{
	struct upgrade found = { .from = u->from };

	found.method = q->method;
	found.is_websocket = str_eq_nocase(q->upgrade, STR("websocket"));
	if (q->upgrade.len > UPGRADE_TOKEN_MOST ||
	    !is_possible(&found, q->upgrade, to))
		return UPGRADE_IMPOSSIBLE;
	if (found.from == HTTP_1_1 &&
	    ((head_has_body(q) && q->body != BODY_TUNNEL) ||
		str_eq(q->method, STR("CONNECT"))))
		return UPGRADE_BAD;
	if (found.from == HTTP_1_1 && found.is_websocket &&
	    (!str_eq(q->method, STR("GET")) || !take_key(&found, q)))
		return UPGRADE_BAD;
	if (found.from == HTTP_2 && !str_eq(q->method, STR("CONNECT")))
		return UPGRADE_BAD;
	if (found.from == HTTP_2 && found.is_websocket && take_key(&found, q))
		memcpy(found.owed, found.accept, sizeof(found.owed));
	found.is_begun = true;
	*u = found;
	memcpy(u->token_text, q->upgrade.p, q->upgrade.len);
	u->token = (struct str){ u->token_text, q->upgrade.len };
	return UPGRADE_READY;
}

static void
tell_in_h1(struct upgrade *u, struct head *q)
{
	struct str value;

	if (u->from == HTTP_1_1) {
		q->method = u->method;
	} else {
		/* What a caller of HTTP/2 says of a key is between us two. */
		head_remove_name(q, key_name);
		q->method = STR("GET");
		make_key(u);
	}
	if (!u->is_websocket)
		return;
	if (find_named(q, key_name, &value) == 0)
		head_add(q, key_name, str_of(u->key));
	if (find_named(q, version_name, &value) == 0)
		head_add(q, version_name, STR("13"));
}

static void
tell_in_h2(struct head *q)
{
	q->method = STR("CONNECT");
	head_remove_name(q, key_name);
}

enum upgrade_ask
upgrade_prepare(struct upgrade *u, struct head *q, enum http_version from,
    enum http_version to)
{
	enum upgrade_ask ask = UPGRADE_READY;

	u->from = from;
	if (!u->is_begun)
		ask = read_request(u, q, to);
	else if (!is_possible(u, u->token, to))
		ask = UPGRADE_IMPOSSIBLE;
	if (ask != UPGRADE_READY)
		return ask;
	u->to = to;
	q->upgrade = from == to ? u->token : STR("websocket");
	q->body = BODY_TUNNEL;
	q->has_length = false;
	switch (to) {
	case HTTP_1_1:
		tell_in_h1(u, q);
		break;
	case HTTP_2:
		tell_in_h2(q);
		break;
	}
	return UPGRADE_READY;
}

/* RFC 6455, section 4.1; Connection was looked at by who read the head. */
static bool
is_right_101(const struct upgrade *u, const struct head *a)
{
	struct str accept;

	if (!str_eq_nocase(
		a->upgrade, u->is_websocket ? STR("websocket") : u->token))
		return false;
	return !u->is_websocket || (find_named(a, accept_name, &accept) == 1 &&
				       str_eq(accept, str_of(u->accept)));
}

static enum upgrade_answer
judge_h1(const struct upgrade *u, const struct head *a)
{
	if (a->status == 101)
		return is_right_101(u, a) ? UPGRADE_AGREED : UPGRADE_BROKEN;
	/* The server did not hear the wish; in HTTP/2 this would grant it. */
	if (u->from == HTTP_2 && a->status >= 200 && a->status < 300)
		return UPGRADE_BROKEN;
	return UPGRADE_DECLINED;
}

static enum upgrade_answer
judge_h2(const struct head *a)
{
	if (a->status == 101)
		return UPGRADE_BROKEN;
	return a->status >= 200 && a->status < 300 ? UPGRADE_AGREED
						   : UPGRADE_DECLINED;
}

static void
agree_in_h1(const struct upgrade *u, struct head *a)
{
	a->status = 101;
	a->reason = STR("Switching Protocols");
	a->upgrade = u->token;
	if (!u->is_websocket || u->to == HTTP_1_1)
		return;
	head_remove_name(a, accept_name);
	head_add(a, accept_name, str_of(u->accept));
}

static void
agree_in_h2(const struct upgrade *u, struct head *a)
{
	a->upgrade = STR_NONE;
	if (u->to == HTTP_1_1) {
		a->status = 200;
		a->reason = STR("OK");
		head_remove_name(a, accept_name);
	}
	if (u->owed[0] == '\0')
		return;
	head_remove_name(a, accept_name);
	head_add(a, accept_name, str_of(u->owed));
}

enum upgrade_answer
upgrade_answer(const struct upgrade *u, struct head *a)
{
	enum upgrade_answer said = UPGRADE_BROKEN;

	switch (u->to) {
	case HTTP_1_1:
		said = judge_h1(u, a);
		break;
	case HTTP_2:
		said = judge_h2(a);
		break;
	}
	if (said != UPGRADE_AGREED)
		return said;
	head_remove_hop_by_hop(a);
	head_remove(a, FIELD_CONTENT_LENGTH);
	a->body = BODY_TUNNEL;
	a->has_length = false;
	switch (u->from) {
	case HTTP_1_1:
		agree_in_h1(u, a);
		break;
	case HTTP_2:
		agree_in_h2(u, a);
		break;
	}
	return UPGRADE_AGREED;
}
