#!/bin/sh
# Makes the archives of a release, and SHA256SUMS, in a new folder:
#
#	sh deploy/release.sh OUT [GOOS/GOARCH...]
#
# The bytes depend on the commit and on the Go release alone, not on the machine, the folder or
# the time: whoever builds the same commit with the same Go gets the same SHA256SUMS.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: sh deploy/release.sh OUT [GOOS/GOARCH...]" >&2; exit 2; }
[ ! -e "$1" ] || { echo "$1 is there already: name a new folder" >&2; exit 2; }
mkdir "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/arm64 windows/amd64

# What a machine's own settings could change.
unset GOEXPERIMENT GOARM64 GOAMD64 GODEBUG
export GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 LC_ALL=C TZ=UTC

version=$(git describe --tags --always --dirty)
time=$(git log -1 --format=%ct)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
go generate ./api/web
for system in "$@"; do
	name=trialproof-$version-$(echo "$system" | tr / -)
	mkdir "$work/$name"
	GOOS=${system%/*} GOARCH=${system#*/} go build -trimpath -buildvcs=true -o "$work/$name/" ./cmd/trial ./cmd/triallog ./cmd/trialwitness
	cp LICENSE NEWS.md README.md "$work/$name/"
done
go run ./deploy/archive "$out" "$time" "$work"/trialproof-*
rm -f "$out/check.html"
echo "check.html, the verifier as a page, has the SHA-256 $(go run ./cmd/trial page -o "$out/check.html" 2>/dev/null): it belongs in the release notes"
echo "made with $(go env GOVERSION):"
cat "$out/SHA256SUMS"
