#!/bin/sh
# Makes the images trialproof/triallog, trialproof/trialwitness and trialproof/trial:
#
#	sh deploy/container/build.sh [TAG]
#
# TAG defaults to the version. The images are made from nothing: each has one static program, the
# certificates of authorities, and a user that is not root. BUILDER names docker, podman or
# buildah; the default is the first that works here. The exit status is 3 if none does. Further
# arguments of BUILDER, such as --platform, are in BUILDER_FLAGS; GOARCH is that of the image.
set -eu
cd "$(dirname "$0")/../.."
tag=${1:-$(git describe --tags --always --dirty)}

if [ -z "${BUILDER:-}" ]; then
	if docker info >/dev/null 2>&1; then
		BUILDER=docker
	elif podman info >/dev/null 2>&1; then
		BUILDER=podman
	elif buildah --version >/dev/null 2>&1; then
		BUILDER=buildah
	else
		echo "none of docker, podman and buildah works here" >&2
		exit 3
	fi
fi
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ -s "$authorities" ] || { echo "$authorities is missing: install ca-certificates, or name the file in SSL_CERT_FILE" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir "$work/empty"
cp "$authorities" "$work/ca-certificates.crt"
go generate ./api/web
GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 GOOS=linux go build -trimpath -o "$work/" ./cmd/trial ./cmd/triallog ./cmd/trialwitness
for program in trial triallog trialwitness; do
	cp "deploy/container/$program.Containerfile" "$work/"
	# shellcheck disable=SC2086 # BUILDER_FLAGS are words
	case $BUILDER in
	buildah) buildah bud ${BUILDER_FLAGS:-} -f "$work/$program.Containerfile" -t "trialproof/$program:$tag" "$work" ;;
	*) "$BUILDER" build ${BUILDER_FLAGS:-} -f "$work/$program.Containerfile" -t "trialproof/$program:$tag" "$work" ;;
	esac
done
echo "made trialproof/triallog:$tag, trialproof/trialwitness:$tag and trialproof/trial:$tag with $BUILDER"
