# A caller that goes away while the server thinks takes its request with it.
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
caller a sends "GET /slow HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
expect server 10.0.0.1:80 shows "GET /slow"
caller a resets
time +300ms
expect log kind=request outcome=caller_reset path=/slow
expect log kind=connection outcome=caller_reset
expect conns 0
expect server 10.0.0.1:80 reset
