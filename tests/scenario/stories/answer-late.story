# A server that takes the request and does not answer for 5 minutes costs the caller a 504, and the server its connection.
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
caller web connects api{mesh=default}
expect caller web connected
caller web sends "GET /slow HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
expect server 10.0.0.1:80 shows "GET /slow HTTP/1.1\r\n"
time +299s
expect caller web open
time +2s
expect caller web shows "HTTP/1.1 504 Gateway Timeout\r\n"
expect log kind=request outcome=http_response_timeout status=504
