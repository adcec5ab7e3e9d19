# A connection without a request is closed after 5 minutes, counted from the last answer.
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
expect no dial
time +4m
caller web sends "GET /a?secret=1 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
expect server 10.0.0.1:80 shows "GET /a?secret=1 HTTP/1.1\r\n"
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
expect caller web shows "\r\n\r\nhi"
expect log kind=request outcome=ok status=200 path=/a method=GET
time +299s
expect caller web open
time +2s
expect caller web fin
expect log kind=connection outcome=idle requests=1
