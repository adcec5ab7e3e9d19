# A drain ends what is idle at once, requests after their answer, and what is left after 30 seconds.
mesh default
server 10.0.0.1:80 accepts
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: api
tags: { kuma.io/service: api, kuma.io/protocol: http }
networking: { address: "10.0.0.1:80" }
---
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.2:443" }
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
caller idle connects api{mesh=default} as web
caller busy connects api{mesh=default} as web
caller tcp connects bank{mesh=default} as web
expect dial 10.0.0.2:443
caller busy sends "GET / HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
drain
expect caller idle fin
expect caller busy open
expect caller tcp open
time +10s
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
expect caller busy shows "Connection: close\r\n"
expect caller busy shows "\r\n\r\nhi"
expect caller busy fin
caller busy closes
caller tcp sends "still"
expect server 10.0.0.2:443 receives "still"
expect not drained
time +19900ms
expect caller tcp open
time +200ms
expect caller tcp fin
expect drained
expect log outcome=drained service=bank bytes_in=5
expect conns 0
caller new connects api{mesh=default} as web
expect caller new fin
