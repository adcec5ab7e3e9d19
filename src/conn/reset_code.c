/* SPDX-License-Identifier: Apache-2.0 */
/* See reset_code.h.  Constant; any thread. */

#include "conn/reset_code.h"

#include "base/attr.h"

static const char *const names[] = {
	"NO_ERROR",
	"PROTOCOL_ERROR",
	"INTERNAL_ERROR",
	"FLOW_CONTROL_ERROR",
	"SETTINGS_TIMEOUT",
	"STREAM_CLOSED",
	"FRAME_SIZE_ERROR",
	"REFUSED_STREAM",
	"CANCEL",
	"COMPRESSION_ERROR",
	"CONNECT_ERROR",
	"ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY",
	"HTTP_1_1_REQUIRED",
};

const char *
reset_code_name(uint32_t code)
{
	return code < ARRAY_LEN(names) ? names[code] : "unknown";
}
