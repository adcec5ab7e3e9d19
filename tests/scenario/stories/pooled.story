# A pooled connection that its server closes is replaced without the caller noticing, but a POST is not sent twice.
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
caller web sends "GET /1 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
expect caller web shows "one"

# Reused.
caller web sends "GET /2 HTTP/1.1\r\nHost: api\r\n\r\n"
expect no dial
expect server 10.0.0.1:80 shows "GET /2 "
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"
expect caller web shows "two"
expect log path=/2 reused=1 retries=0

# Closed just as the next request is under way.
caller web sends "GET /3 HTTP/1.1\r\nHost: api\r\n\r\n"
server 10.0.0.1:80 closes
expect dial 10.0.0.1:80
expect server 10.0.0.1:80 shows "GET /3 "
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree"
expect caller web shows "three"
expect log path=/3 reused=0 retries=1
caller web sends "POST /4 HTTP/1.1\r\nHost: api\r\nContent-Length: 1\r\n\r\nx"
server 10.0.0.1:80 closes
expect caller web shows "503 Service Unavailable"
expect log path=/4 status=503 retries=0 outcome=connection_terminated
expect no dial

# One that is closed while it is idle is not used at all.
caller web sends "GET /5 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfive"
expect caller web shows "five"
server 10.0.0.1:80 closes
caller web sends "GET /6 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix"
expect caller web shows "six"
expect log path=/6 reused=0 retries=0
