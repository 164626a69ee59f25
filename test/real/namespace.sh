#!/usr/bin/env bash
# Runs a command inside fresh network, mount and process namespaces (made by run.ts): pods are processes with loopback aliases as
# their addresses, ports are nobody else's, and when this shell ends the kernel ends every process that was started in here.
set -euo pipefail
ip link set lo up
# The API server refuses endpoints in 127.0.0.0/8: so pods get addresses of their own, on each of two sites (parts/site.ts).
for site in 0 1; do for i in $(seq 10 29); do ip address add 10.77.$site.$i/32 dev lo; done; done
# Issuers of tokens are public hosts: here they are parts/token-issuers.ts.
hosts=$(mktemp); { cat /etc/hosts; echo '127.0.0.1 istiod.istio-system.svc'; echo '127.0.0.9 id.example.com login.microsoftonline.com'; } > "$hosts"
mount --bind "$hosts" /etc/hosts; rm "$hosts"
export MESHWRIGHT_REAL_NAMESPACE=1
code=0; "$@" || code=$?
exit $code
