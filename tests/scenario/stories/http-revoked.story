# A request under way whose permission a reload takes away gets 403 while nothing of an answer was sent, and is cut, with its connection, after that.
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
drop allow.yaml
reload
expect caller web shows "HTTP/1.1 403 Forbidden"
expect log path=/1 status=403 outcome=revoked
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
caller web sends "GET /2 HTTP/1.1\r\nHost: api\r\n\r\n"
expect dial 10.0.0.1:80
server 10.0.0.1:80 sends "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntw"
expect caller web shows "tw"
drop allow.yaml
reload
expect caller web reset
expect log path=/2 outcome=revoked
expect log kind=connection outcome=revoked
