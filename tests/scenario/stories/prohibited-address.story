# A name that leads to this host or to a metadata service is not connected to, and another address of it is.
mesh default
dns evil.example -> 127.0.0.1 169.254.169.254
dns mixed.example -> 127.0.0.1 10.0.0.1
server 10.0.0.1:443 accepts
server 127.0.0.1:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: evil
tags: { kuma.io/service: evil, kuma.io/protocol: tcp }
networking: { address: "evil.example:443" }
---
type: ExternalService
mesh: default
name: mixed
tags: { kuma.io/service: mixed, kuma.io/protocol: tcp }
networking: { address: "mixed.example:443" }
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
caller a connects evil{mesh=default} as web
expect caller a fin
expect log outcome=destination_ip_prohibited service=evil detail="evil: evil.example leads to*"
expect no dial
caller b connects mixed{mesh=default} as web
expect dial 10.0.0.1:443
expect caller b connected
