# SPDX-License-Identifier: Apache-2.0
"""What an external server saw of a request and of the connection, as JSON."""

import json
import ssl


def facts(connection, at, proto, host):
    seen = {"at": at, "proto": proto, "host": host}
    if isinstance(connection, ssl.SSLSocket):
        subject = (connection.getpeercert() or {}).get("subject", ())
        names = [v for part in subject for k, v in part if k == "commonName"]
        seen["tls"] = connection.version().removeprefix("TLSv")
        seen["alpn"] = connection.selected_alpn_protocol()
        seen["sni"] = getattr(connection, "name_asked_for", None)
        seen["peer"] = names[0] if names else None
    return json.dumps(seen).encode()
