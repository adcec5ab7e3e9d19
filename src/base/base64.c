/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard base64 with padding (RFC 4648, section 4), as secrets and inline
 * certificates carry it; declared in str.h.  Pure; any thread.
 */

#include <stdint.h>

#include "base/str.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The last bits of a short group must be zero: one spelling a value. */
static bool
end_group(struct text *out, uint32_t bits, unsigned n_digits, unsigned n_pads)
{
	if (n_digits == 0)
		return n_pads == 0;
	if (n_digits == 2 && n_pads == 2 && (bits & 0xf) == 0) {
		text_add_char(out, (char)(bits >> 4));
		return true;
	}
	if (n_digits == 3 && n_pads == 1 && (bits & 0x3) == 0) {
		text_add_char(out, (char)(bits >> 10));
		text_add_char(out, (char)(bits >> 2 & 0xff));
		return true;
	}
	return false;
}

bool
base64_decode(struct str in, struct text *out)
{
	unsigned n_digits = 0, n_pads = 0;
	uint32_t bits = 0;
	size_t i;
	int value;

	for (i = 0; i < in.len; i++) {
		if (in.p[i] == '\n' || in.p[i] == '\r')
			continue;
		if (in.p[i] == '=' && n_pads < 2) {
			n_pads++;
			continue;
		}
		value = digit_value(in.p[i]);
		if (value == -1 || n_pads > 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (++n_digits < 4)
			continue;
		text_add_char(out, (char)(bits >> 16));
		text_add_char(out, (char)(bits >> 8 & 0xff));
		text_add_char(out, (char)(bits & 0xff));
		n_digits = 0;
		bits = 0;
	}
	return end_group(out, bits, n_digits, n_pads);
}

static uint32_t
byte_at(struct str in, size_t i)
{
	return i < in.len ? (unsigned char)in.p[i] : 0;
}

void
base64_encode(struct str in, struct text *out)
{
	uint32_t bits;
	size_t i;
	char *to;

	text_reserve(out, (in.len + 2) / 3 * 4);
	for (i = 0; i < in.len; i += 3) {
		bits = byte_at(in, i) << 16 | byte_at(in, i + 1) << 8 |
		       byte_at(in, i + 2);
		to = text_reserve(out, 4);
		to[0] = digits[bits >> 18];
		to[1] = digits[bits >> 12 & 63];
		to[2] = i + 1 < in.len ? digits[bits >> 6 & 63] : '=';
		to[3] = i + 2 < in.len ? digits[bits & 63] : '=';
		out->len += 4;
	}
}
