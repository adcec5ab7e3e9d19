# A caller of HTTP/2 uses a service of HTTP/1.1: each stream is a request of its own, and a permission that a reload takes away cuts streams, not the connection.
mesh default
server 10.0.0.1:80 accepts
resources api.yaml
type: ExternalService
mesh: default
name: api
tags: { kuma.io/service: api, kuma.io/protocol: http }
networking: { address: "10.0.0.1:80" }
end
resources allow.yaml
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

# The preface, SETTINGS, and GET / of "api" on stream 1.
caller web sends "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
caller web sends "\x00\x00\x08\x01\x05\x00\x00\x00\x01\x82\x86\x84\x01\x03api"
expect dial 10.0.0.1:80
expect server 10.0.0.1:80 shows "GET / HTTP/1.1\r\n"
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
expect caller web shows "\x00\x00\x03\x00\x01\x00\x00\x00\x01one"
expect log kind=request http=2 stream=1 authority=api status=200 outcome=ok reused=0

# Stream 3 is under way when the permission goes, and nothing of its answer was sent.
caller web sends "\x00\x00\x08\x01\x05\x00\x00\x00\x03\x82\x86\x84\x01\x03api"
drop allow.yaml
reload
expect log http=2 stream=3 status=403 outcome=revoked reused=1
expect caller web shows "RBAC: access denied"
expect server 10.0.0.1:80 reset
expect caller web open

# Stream 5 is denied.
caller web sends "\x00\x00\x08\x01\x05\x00\x00\x00\x05\x82\x86\x84\x01\x03api"
expect caller web shows "RBAC: access denied"
expect log http=2 stream=5 status=403 outcome=denied address=

# GOAWAY, and the end in order.
drain
expect caller web shows "\x00\x00\x08\x07\x00\x00\x00\x00\x00"
time +5s
expect caller web fin
expect log kind=connection http=2 requests=3 outcome=drained
expect no dial
