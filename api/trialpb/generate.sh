#!/bin/sh
# Generates the Go code from trialproof.proto, beside it or into the folder given. It needs Go and protoc (Debian: protobuf-compiler);
# the plugins are built at the versions below, outside this module.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
mkdir -p "$out"
out=$(cd "$out" && pwd)
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT

cd / # go install PKG@VERSION looks at no go.mod, and here there is none
export GOBIN="$bin" GOFLAGS= GOWORK=off
go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2

PATH="$bin:$PATH" protoc -I "$here" \
	--go_out="$out" --go_opt=paths=source_relative \
	--go-grpc_out="$out" --go-grpc_opt=paths=source_relative \
	trialproof.proto

# protoc's own version makes no difference but in a comment.
for f in "$out"/trialproof.pb.go "$out"/trialproof_grpc.pb.go; do
	grep -v '^// .*protoc  *v' "$f" >"$bin/f"
	cat "$bin/f" >"$f"
done
