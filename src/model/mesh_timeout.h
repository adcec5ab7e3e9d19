/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_TIMEOUT_H
#define MODEL_MESH_TIMEOUT_H

/* The values of a MeshTimeout's items, in ms: outbound_policy.h. */

enum mesh_timeout_value {
	MT_CONNECTION,
	MT_IDLE,
	MT_HTTP, /* was given */
	MT_REQUEST,
	MT_STREAM_IDLE,
	MT_STREAM_LIFE,
	MT_CONNECTION_LIFE,
	MT_HEADERS
};

#endif
