#!/usr/bin/env bash
# reproducible.sh builds the release of the last commit twice, from two folders, and fails unless both are the same to the byte, and unless the
# binary says its version, its commit and the date of that.
#
# PLATFORMS  what is built; default this machine's platform
set -euo pipefail
cd "$(dirname "$0")/.."

export PLATFORMS=${PLATFORMS:-$(go env GOHOSTOS)/$(go env GOHOSTARCH)}
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for copy in first a/second; do
  git clone --quiet --no-hardlinks . "$scratch/$copy/tree"
  "$scratch/$copy/tree/scripts/release.sh" "$scratch/$copy/dist"
done
diff "$scratch/first/dist/SHA256SUMS" "$scratch/a/second/dist/SHA256SUMS" || {
  echo "reproducible: the same commit made different files" >&2
  exit 1
}

commit=$(git rev-parse HEAD)
date=$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)
for binary in "$scratch/first/dist"/millrace_*_"$(go env GOHOSTOS)_$(go env GOHOSTARCH)"; do
  [ -x "$binary" ] || continue
  said=$("$binary" version -o json)
  echo "$said"
  for word in "\"commit\":\"$commit\"" "\"date\":\"$date\"" "\"version\":\"v"; do
    case $said in
      *"$word"*) ;;
      *)
        echo "reproducible: millrace version lacks $word" >&2
        exit 1
        ;;
    esac
  done
done
cat "$scratch/first/dist/SHA256SUMS"
