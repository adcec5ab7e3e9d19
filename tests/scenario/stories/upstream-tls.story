# TLS is originated with the server's name and CA, and a server with another certificate gets no byte of the caller.
mesh default
dns api.example -> 10.0.0.1
dns wrong.example -> 10.0.0.2
server 10.0.0.1:443 accepts tls api.example
server 10.0.0.2:443 accepts tls other.example
resources all.yaml
type: ExternalService
mesh: default
name: api
tags: { kuma.io/service: api, kuma.io/protocol: tcp }
networking:
  address: api.example:443
  tls: { enabled: true, caCert: { secret: ext-ca } }
---
type: ExternalService
mesh: default
name: wrong
tags: { kuma.io/service: wrong, kuma.io/protocol: tcp }
networking:
  address: wrong.example:443
  tls: { enabled: true, caCert: { secret: ext-ca } }
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
expect dial 10.0.0.1:443
expect server 10.0.0.1:443 connected
expect server 10.0.0.1:443 sni api.example
caller a sends "secret"
expect server 10.0.0.1:443 receives "secret"
caller b connects wrong{mesh=default} as web
caller b sends "secret"
expect dial 10.0.0.2:443
expect caller b fin
expect server 10.0.0.2:443 receives nothing
expect log outcome=tls_certificate_error service=wrong detail="wrong: TLS with 10.0.0.2:443*"
