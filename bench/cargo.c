/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that the bench carries, and the check of them.
 */

#include "cargo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
cargo_init(struct cargo *c)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	c->bytes = malloc(2 * CARGO_PERIOD);
	if (c->bytes == NULL)
		abort();
	for (size_t i = 0; i < CARGO_PERIOD; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(c->bytes + i, &x, sizeof(x));
	}
	memcpy(c->bytes + CARGO_PERIOD, c->bytes, CARGO_PERIOD);
}

const uint8_t *
cargo_at(const struct cargo *c, uint64_t pos)
{
	return c->bytes + pos % CARGO_PERIOD;
}

bool
cargo_is(const struct cargo *c, uint64_t pos, const void *data, size_t n)
{
	return memcmp(cargo_at(c, pos), data, n) == 0;
}

void
cargo_fill_body(char *body)
{
	for (int i = 0; i < CARGO_BODY; i++)
		body[i] = (char)('a' + i % 26);
}

size_t
cargo_print_answer(char *buf, size_t size)
{
	int head = snprintf(buf, size,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %d\r\n\r\n",
	    CARGO_BODY);

	if ((size_t)head + CARGO_BODY > size)
		abort();
	cargo_fill_body(buf + head);
	return (size_t)head + CARGO_BODY;
}

/* The value of Content-Length among the lines of a head, or -1. */
static long
find_length(const char *head, const char *end)
{
	static const char name[] = "content-length:";

	while (head < end) {
		if (strncasecmp(head, name, sizeof(name) - 1) == 0)
			return strtol(head + sizeof(name) - 1, NULL, 10);
		head = memchr(head, '\n', (size_t)(end - head));
		if (head == NULL)
			break;
		head++;
	}
	return -1;
}

enum cargo_answer
cargo_check_answer(const char *text, size_t n, size_t *used)
{
	static const char status[] = "HTTP/1.1 200 ";
	char body[CARGO_BODY];
	const char *end = memmem(text, n, "\r\n\r\n", 4);

	if (end == NULL)
		return CARGO_MORE;
	end += 4;
	if (strncmp(text, status, sizeof(status) - 1) != 0 ||
	    find_length(text, end) != CARGO_BODY)
		return CARGO_WRONG;
	if (n - (size_t)(end - text) < CARGO_BODY)
		return CARGO_MORE;
	cargo_fill_body(body);
	*used = (size_t)(end - text) + CARGO_BODY;
	return memcmp(end, body, CARGO_BODY) == 0 ? CARGO_WHOLE : CARGO_WRONG;
}
