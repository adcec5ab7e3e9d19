# A request's head that is not complete 15 seconds after its first byte is answered by 408.
mesh default
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
time +4m
caller web sends "GET / HTTP/1.1\r\n"
time +10s
caller web sends "Host: api\r\n"
time +4900ms
expect caller web receives nothing
time +200ms
expect caller web shows "HTTP/1.1 408 "
expect caller web fin
expect log kind=request outcome=http_request_timeout status=408
caller web closes
expect log kind=connection outcome=http_request_timeout
expect no dial
