/* SPDX-License-Identifier: Apache-2.0 */
/* Stream errors for people.  The streams themselves: h1_session.c.  Const. */

#include "http/stream.h"

const char *
stream_error_text(enum stream_error e)
{
	switch (e) {
	case STREAM_OK:
		return "no error";
	case STREAM_IDLE_CLOSED:
		return "closed while idle";
	case STREAM_CLOSED_EARLY:
		return "closed before a response began";
	case STREAM_CUT:
		return "closed within a message";
	case STREAM_RESET:
		return "connection reset";
	case STREAM_REFUSED:
		return "not taken by the server";
	case STREAM_BAD_MESSAGE:
		return "malformed message";
	case STREAM_NO_HOST:
		return "request without Host";
	case STREAM_TOO_LARGE:
		return "message head over the limit";
	case STREAM_VERSION:
		return "HTTP version not supported";
	case STREAM_NOT_IMPLEMENTED:
		return "unknown transfer coding";
	case STREAM_PREFACE:
		return "HTTP/2 where HTTP/1.1 is spoken";
	case STREAM_LOOKS_TLS:
		return "TLS where HTTP is spoken";
	case STREAM_WIRE:
		return "connection failed";
	}
	return "unknown error";
}
