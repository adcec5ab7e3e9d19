# An HTTP caller without permission gets 403 and may go on; a permission that a reload takes away ends the next request.
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
caller web sends "GET /1 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
expect caller web shows "one"
drop allow.yaml
reload
caller web sends "GET /2 HTTP/1.1\r\nHost: api\r\n\r\n"
expect caller web shows "HTTP/1.1 403 Forbidden"
expect caller web shows "RBAC: access denied"
expect caller web open
expect log path=/2 status=403 outcome=denied address=
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
reload
caller web sends "GET /3 HTTP/1.1\r\nHost: api\r\n\r\n"
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree"
expect caller web shows "three"
expect log path=/3 reused=1 status=200
expect no dial
