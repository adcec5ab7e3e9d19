/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_RESET_CODE_H
#define CONN_RESET_CODE_H

/* Why a stream was reset: the codes of RFC 9113, section 7. */

#include <stdint.h>

enum reset_code {
	RESET_NO_ERROR = 0x0,
	RESET_PROTOCOL_ERROR = 0x1,
	RESET_INTERNAL_ERROR = 0x2,
	RESET_REFUSED_STREAM = 0x7,
	RESET_CANCEL = 0x8
};

/* The RFC's name of any code; "unknown" of those that it does not have. */
const char *reset_code_name(uint32_t code);

#endif
