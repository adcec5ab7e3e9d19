# Connections to an HTTP service are kept for a minute, and one request at a time has each.
mesh default
server 10.0.0.1:80 accepts
resources all.yaml
type: ExternalService
mesh: default
name: api
tags: { kuma.io/service: api, kuma.io/protocol: http }
networking: { address: "10.0.0.1:80" }
---
type: MeshTrafficPermission
mesh: default
name: callers
spec:
  targetRef: { kind: Mesh }
  from:
  - targetRef: { kind: MeshSubset, tags: { kuma.io/service: web } }
    default: { action: Allow }
end
caller a connects api{mesh=default} as web
caller b connects api{mesh=default} as web
caller a sends "GET /1 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 204 No Content\r\n\r\n"
expect caller a shows "204 No Content"
time +59s
caller b sends "GET /2 HTTP/1.1\r\nHost: api\r\n\r\n"
expect no dial
server 10.0.0.1:80 sends "HTTP/1.1 204 No Content\r\n\r\n"
expect caller b shows "204 No Content"
time +61s
expect server 10.0.0.1:80 fin
caller b sends "GET /3 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
caller a sends "GET /4 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
