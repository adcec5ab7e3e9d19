# A reload that takes the permission away closes the open connection, and not those that still have theirs.
mesh default
server 10.0.0.1:443 accepts
server 10.0.0.2:443 accepts
resources bank.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
end
resources shop.yaml
type: ExternalService
mesh: default
name: shop
tags: { kuma.io/service: shop, kuma.io/protocol: tcp }
networking: { address: "10.0.0.2:443" }
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
caller a connects bank{mesh=default} as web
expect dial 10.0.0.1:443
caller b connects shop{mesh=default} as web
expect dial 10.0.0.2:443

# Nothing that concerns them has changed.
resources other.yaml
type: ExternalService
mesh: default
name: other
tags: { kuma.io/service: other, kuma.io/protocol: tcp }
networking: { address: "10.0.0.3:443" }
end
reload
expect caller a open
expect caller b open

# Another permission, and one that is taken away.
resources allow.yaml
type: TrafficPermission
mesh: default
name: shop-only
sources: [ { match: { kuma.io/service: web } } ]
destinations: [ { match: { kuma.io/service: shop } } ]
end
reload
expect caller a fin
expect server 10.0.0.1:443 fin
expect log outcome=revoked service=bank rule="no rule matches"
expect caller b open
caller b sends "still"
expect server 10.0.0.2:443 receives "still"
expect conns 1

# The service itself.
drop shop.yaml
reload
expect caller b fin
expect log outcome=revoked service=shop detail="the service is gone"
