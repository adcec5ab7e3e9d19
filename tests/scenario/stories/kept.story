# With on_revoke = "keep" an open connection outlives its permission, but no new one is let in.
mesh default
config on_revoke=keep
server 10.0.0.1:443 accepts
resources bank.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
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
drop allow.yaml
reload
expect caller a open
caller a sends "still"
expect server 10.0.0.1:443 receives "still"
caller b connects bank{mesh=default} as web
expect caller b fin
expect log outcome=denied
expect no log outcome=revoked
