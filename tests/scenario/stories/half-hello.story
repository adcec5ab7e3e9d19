# Half a ClientHello is waited for 15 seconds from the start, however it dribbles in; then it is reset.
mesh default
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
end
caller slow dribbles bank{mesh=default}
time +10s
caller slow sends ""
time +4900ms
expect caller slow open
time +200ms
expect caller slow reset
expect log outcome=hello_late sni= duration_ms=15000
