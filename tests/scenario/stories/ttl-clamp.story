# Answers are kept for at least 5 seconds and at most an hour, whatever they say, and refusals for 5 seconds.
mesh default
dns short.example -> 10.0.0.1 ttl 0
dns long.example -> 10.0.0.2 ttl 1000000
dns none.example unknown
server 10.0.0.1:443 accepts
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: short
tags: { kuma.io/service: short, kuma.io/protocol: tcp }
networking: { address: "short.example:443" }
---
type: ExternalService
mesh: default
name: long
tags: { kuma.io/service: long, kuma.io/protocol: tcp }
networking: { address: "long.example:443" }
---
type: ExternalService
mesh: default
name: none
tags: { kuma.io/service: none, kuma.io/protocol: tcp }
networking: { address: "none.example:443" }
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
caller a connects short{mesh=default} as web
expect query short.example
expect dial 10.0.0.1:443
caller b connects long{mesh=default} as web
expect query long.example
expect dial 10.0.0.2:443
caller c connects none{mesh=default} as web
expect query none.example
expect caller c fin
expect log outcome=dns_error service=none detail="*"

time +4400ms
caller d connects short{mesh=default} as web
expect dial 10.0.0.1:443
caller e connects none{mesh=default} as web
expect caller e fin
expect no query
time +700ms
# In use, so it was asked for ahead of its time.
expect query short.example
caller f connects short{mesh=default} as web
expect dial 10.0.0.1:443
expect no query
caller g connects none{mesh=default} as web
expect query none.example
time +53m
caller h connects long{mesh=default} as web
expect dial 10.0.0.2:443
expect asked long.example from 2 to 2
time +7m
caller i connects long{mesh=default} as web
expect dial 10.0.0.2:443
expect asked long.example from 2 to 2
