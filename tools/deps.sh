#!/bin/sh
# Installs from Debian 12 what building and testing need and is missing. Prints nothing when all is there.
# Each package with its reason; docs/decisions tells why these.
set -eu
packages="
gcc                  # compiler of the release build
libc6-dev
clang-14             # second compiler; sanitizer and fuzz builds
libclang-rt-14-dev   # sanitizer and libFuzzer runtimes
llvm-14              # llvm-symbolizer: line numbers in sanitizer reports
clang-format-14      # make check
libssl-dev           # TLS, X.509, JWT signatures
openssl              # tests: TLS and certificates against its own programs
libnghttp2-dev       # HTTP/2
libsqlite3-dev       # embedded store
libyaml-dev          # YAML
zlib1g-dev           # gzip, SPDY headers
libpcre2-dev         # building only: the Unicode tables are made from it
python3-kubernetes   # tests: a stock client
"
# Tests: the stock command line. A newer one that is on the machine already is better, and excludes Debian's.
command -v kubectl >/dev/null 2>&1 || packages="$packages
kubernetes-client"
bench_packages="
g++                  # simdjson's interface
libjansson-dev       # JSON peer
libsimdjson-dev      # JSON peer
nghttp2-server       # HTTP/2 peer (nghttpd)
nghttp2-client       # load client (h2load)
"
want() {
    printf '%s\n' "$1" | sed 's/#.*//' | xargs
}
missing() {
    for p in $1; do
        dpkg-query -W -f '${db:Status-Abbrev}\n' "$p" 2>/dev/null | grep -q '^ii' || printf '%s ' "$p"
    done
}
list=$(want "$packages")
[ "${1-}" = --bench ] && list="$list $(want "$bench_packages")"
lacking=$(missing "$list")
if [ -z "$lacking" ]; then
    [ "${1-}" = --verbose ] && echo "all packages are there: $list"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "skiff: these packages are missing: $lacking" >&2
    echo "skiff: run 'sudo make deps', or: sudo apt-get install $lacking" >&2
    exit 1
fi
echo "installing: $lacking"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $lacking; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "skiff: could not install $lacking: see above" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
