# An endpoint that failed too often is left out for its time, and longer the next time.
config outlier.consecutive_local_origin_failure=2
config outlier.base_ejection_ms=30000 outlier.interval_ms=10000
mesh default
server 10.0.0.1:443 refuses
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: bank-1
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
---
type: ExternalService
mesh: default
name: bank-2
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.2:443" }
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

# One failure is remembered for 10 seconds only.
caller a connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect dial 10.0.0.2:443
time +10100ms
caller b connects bank{mesh=default} as web
expect dial 10.0.0.2:443
caller c connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect dial 10.0.0.2:443

# That was the second: 30 seconds, though it would answer by now.
server 10.0.0.1:443 accepts
time +29900ms
caller d connects bank{mesh=default} as web
expect dial 10.0.0.2:443
caller e connects bank{mesh=default} as web
expect dial 10.0.0.2:443

# Nor does a reload of anything else change that.
reload
caller f connects bank{mesh=default} as web
expect dial 10.0.0.2:443

# Then it has its turn again.
time +200ms
caller g connects bank{mesh=default} as web
expect dial 10.0.0.2:443
caller h connects bank{mesh=default} as web
expect dial 10.0.0.1:443
