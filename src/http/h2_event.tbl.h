/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * What is counted of connections of HTTP/2; no guard: define H2_EVENT(id, name,
 * help) and H2_ABUSE(id, name, limit, default, help), include; undefined again.
 * An abuse is what a peer may do only so often in ten seconds: beyond that the
 * connection ends with GOAWAY and ENHANCE_YOUR_CALM, which is what its event
 * counts.  limit: the option, limits.h2_ in front.
 */
H2_EVENT(RX_RESET, "rx_reset", "Streams that the peer reset.")
H2_EVENT(TX_RESET, "tx_reset", "Streams that we reset.")
H2_EVENT(GOAWAY_SENT, "goaway_sent", "Connections that we asked the peer to leave.")
H2_EVENT(TRAILERS, "trailers", "Messages with trailers.")
H2_EVENT(HEADER_OVERFLOW, "header_overflow", "Messages whose head was over limits.head_bytes or limits.headers.")
H2_EVENT(MESSAGE_ERROR, "rx_messaging_error", "Messages that break RFC 9113.")
H2_EVENT(PROTOCOL_ERROR, "protocol_error", "Connections that broke RFC 9113.")
H2_EVENT(KEEPALIVE_TIMEOUT, "keepalive_timeout", "Connections that did not answer our PING.")
H2_EVENT(HEAD_LATE, "head_timeout", "Connections that began a field block and did not end it in time.")

H2_ABUSE(RESETS, "reset_flood", "resets", 500, "Streams reset by the peer before they were answered (rapid reset), and streams that its own mistakes made us reset.")
H2_ABUSE(CONTINUATIONS, "continuation_flood", "continuations", 64, "CONTINUATION frames that follow a frame of less than 4 KiB; no field block has more than 8 of any size.")
H2_ABUSE(SETTINGS, "settings_flood", "settings", 50, "SETTINGS frames.")
H2_ABUSE(PINGS, "ping_flood", "pings", 100, "PING frames.")
H2_ABUSE(EMPTY_FRAMES, "inbound_empty_frames_flood", "empty_frames", 100, "DATA, HEADERS and CONTINUATION frames without payload that end nothing.")
H2_ABUSE(PRIORITIES, "inbound_priority_frames_flood", "priorities", 500, "PRIORITY and PRIORITY_UPDATE frames, and frames of unknown types.")
H2_ABUSE(WINDOW_UPDATES, "inbound_window_update_frames_flood", "window_updates", 1000, "WINDOW_UPDATE frames beyond those that our DATA frames explain, and initial windows that change.")
H2_ABUSE(TINY_FRAMES, "tiny_frames_flood", "tiny_frames", 5000, "DATA frames of less than 5 bytes that end nothing, beyond those that others, and our own, pay for.")
H2_ABUSE(OUTBOUND, "outbound_control_flood", "outbound", 1000, "Answers to frames of control that wait because the peer does not read.")
#undef H2_EVENT
#undef H2_ABUSE
/* clang-format on */
