/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes may stand where: T in tokens (RFC 9110, section 5.6.2), H in a
 * host and port (RFC 3986, section 3.2, without its escapes and the comma).  A
 * row is 16 bytes; those from 0x80 on are in neither.  Const, any thread.
 */

#include "http/h1_scan.h"

#define T H1_TCHAR
#define H H1_HOST_CHAR
#define B (H1_TCHAR | H1_HOST_CHAR)

/* clang-format off */
const uint8_t h1_classes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
	0, B, 0, T, B, T, B, B, H, H, B, B, 0, B, B, 0, /* 20 */
	B, B, B, B, B, B, B, B, B, B, H, H, 0, H, 0, 0, /* 30 */
	0, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* 40 */
	B, B, B, B, B, B, B, B, B, B, B, H, 0, H, T, B, /* 50 */
	T, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* 60 */
	B, B, B, B, B, B, B, B, B, B, B, 0, T, 0, B, 0, /* 70 */
};
/* clang-format on */
