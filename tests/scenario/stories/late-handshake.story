# A handshake that is not through 15 seconds after its hello is reset, and a slow hello does not shorten that.
mesh default
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
end
caller late stalls bank{mesh=default}
time +14900ms
expect caller late open
time +200ms
expect caller late reset
expect log outcome=tls_late sni=bank{mesh=default} service=bank identity=
expect no dial
