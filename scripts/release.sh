#!/usr/bin/env bash
# release.sh builds what a release has: a static binary for each platform, for each binary the list of what is in it (SBOM, CycloneDX), and the
# checksums of all. Version, commit and date of the commit are those that Go itself notes in a binary, nothing is stamped into it: the same commit
# and the same Go make the same bytes, in any folder and on any machine.
#
#   release.sh [FOLDER]   default dist; its files of an earlier release are dropped
#
# PLATFORMS  os/arch, separated by spaces; default all six
set -euo pipefail
folder=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
cd "$(dirname "$0")/.."

die() {
  echo "release: $*" >&2
  exit 1
}

# A checkout that belongs to another user is no reason to fail.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
git rev-parse --verify --quiet HEAD >/dev/null || die "this is no git checkout, so nobody could say which commit it is"
[ -z "$(git status --porcelain)" ] || die "there are changes that are not committed: a release is of a commit"

# What would make other bytes of the same commit, were it set otherwise.
export CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 GOFLAGS= GOEXPERIMENT= GOWORK=off

checksums() {
  if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

rm -f "$folder"/millrace_* "$folder"/SHA256SUMS
for platform in ${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
  system=${platform%/*} machine=${platform#*/}
  new=$folder/millrace_new
  GOOS=$system GOARCH=$machine go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$new" ./cmd/millrace
  version=$(go version -m "$new" | awk '$1 == "mod" { print $3 }')
  name=millrace_${version}_${system}_${machine}
  binary=$folder/$name
  [ "$system" != windows ] || binary=$binary.exe
  mv "$new" "$binary"
  (cd scripts/release && go tool cyclonedx-gomod bin -json -noserial -notimestamp -std -output "$binary.cdx.json" -version "$version" "$binary") 2>"$folder/millrace_sbom.log" ||
    { cat "$folder/millrace_sbom.log" >&2 && die "the list of what is in $name could not be made"; }
  rm -f "$folder/millrace_sbom.log"
  echo "release: $name" >&2
done
(cd "$folder" && checksums millrace_* >SHA256SUMS)
echo "release: $folder/SHA256SUMS has the checksums" >&2
