/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of WebSocket for tests. */

#include "support/web_socket.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mask[4] = { 0x12, 0x9a, 0x00, 0xfe };

void
ws_add(struct bytes *to, enum ws_opcode op, bool is_masked, const void *p,
    size_t n)
{
	uint8_t head[4] = { (uint8_t)(0x80 | op),
		(uint8_t)(is_masked ? 0x80 : 0) };
	const uint8_t *from = p;
	uint8_t b;

	if (n < 126) {
		head[1] |= (uint8_t)n;
		bytes_add(to, head, 2);
	} else {
		head[1] |= 126;
		head[2] = (uint8_t)(n >> 8);
		head[3] = (uint8_t)n;
		bytes_add(to, head, 4);
	}
	if (is_masked)
		bytes_add(to, mask, sizeof(mask));
	for (size_t i = 0; i < n; i++) {
		b = is_masked ? (uint8_t)(from[i] ^ mask[i % 4]) : from[i];
		bytes_add(to, &b, 1);
	}
}

bool
ws_take(struct bytes *from, enum ws_opcode *op, struct bytes *payload)
{
	const uint8_t *p = (const uint8_t *)bytes_text(from), *key;
	size_t n, at = 2;
	uint8_t b;

	if (from->n < 2)
		return false;
	n = p[1] & 0x7f;
	if (n == 126) {
		if (from->n < 4)
			return false;
		n = (size_t)p[2] << 8 | p[3];
		at = 4;
	}
	key = p + at;
	if ((p[1] & 0x80) != 0)
		at += 4;
	if (from->n < at + n)
		return false;
	*op = (enum ws_opcode)(p[0] & 0x0f);
	for (size_t i = 0; i < n; i++) {
		b = (p[1] & 0x80) != 0 ? (uint8_t)(p[at + i] ^ key[i % 4])
				       : p[at + i];
		bytes_add(payload, &b, 1);
	}
	bytes_cut(from, at + n);
	return true;
}

void
ws_echo(struct bytes *from, struct bytes *to)
{
	struct bytes text = { .n = 0 };
	enum ws_opcode op;

	while (ws_take(from, &op, &text)) {
		ws_add(to, op, false, bytes_text(&text), text.n);
		bytes_cut(&text, text.n);
	}
	bytes_free(&text);
}

void
ws_accept(const char *key, char out[WS_ACCEPT_TEXT])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char sum[20];
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (EVP_DigestInit_ex(c, EVP_sha1(), NULL) != 1 ||
	    EVP_DigestUpdate(c, key, strlen(key)) != 1 ||
	    EVP_DigestUpdate(c, guid, sizeof(guid) - 1) != 1 ||
	    EVP_DigestFinal_ex(c, sum, NULL) != 1)
		abort();
	EVP_MD_CTX_free(c);
	(void)EVP_EncodeBlock((unsigned char *)out, sum, sizeof(sum));
}
