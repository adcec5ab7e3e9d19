# The end of one direction is passed on, and the other one goes on until it ends too.
mesh default
server 10.0.0.1:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
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
caller a connects bank{mesh=default} as web
expect dial 10.0.0.1:443
caller a sends "question"
caller a finishes
expect server 10.0.0.1:443 receives "question"
expect server 10.0.0.1:443 fin
server 10.0.0.1:443 sends "a long answer"
expect caller a receives "a long answer"
expect caller a open
server 10.0.0.1:443 finishes
expect caller a fin
expect log outcome=ok bytes_in=8 bytes_out=13

# A reset is passed on as one.
caller b connects bank{mesh=default} as web
expect dial 10.0.0.1:443
caller b resets
expect server 10.0.0.1:443 reset
expect log outcome=caller_reset
caller c connects bank{mesh=default} as web
expect dial 10.0.0.1:443
server 10.0.0.1:443 resets
expect caller c reset
expect log outcome=connection_terminated
