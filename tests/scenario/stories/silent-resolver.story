# A name that nobody answers for costs the same 5 seconds, and another endpoint gets its share of them.
mesh default
dns dark.example silent
dns darker.example silent
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: dark-1
tags: { kuma.io/service: dark, kuma.io/protocol: tcp }
networking: { address: "dark.example:443" }
---
type: ExternalService
mesh: default
name: dark-2
tags: { kuma.io/service: dark, kuma.io/protocol: tcp }
networking: { address: "10.0.0.2:443" }
---
type: ExternalService
mesh: default
name: alone
tags: { kuma.io/service: alone, kuma.io/protocol: tcp }
networking: { address: "darker.example:443" }
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
caller a connects dark{mesh=default} as web
expect query dark.example
expect no dial
time +2600ms
expect dial 10.0.0.2:443
caller a sends "hi"
expect server 10.0.0.2:443 receives "hi"
caller b connects alone{mesh=default} as web
expect query darker.example
time +4900ms
expect caller b open
time +200ms
expect caller b fin
expect log outcome=dns_timeout service=alone
