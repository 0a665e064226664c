#!/usr/bin/env bash
# fuzz.sh runs every fuzz test of the repository for FUZZTIME (default 10s), one after another, since go test fuzzes one at a time.
# What breaks one is kept by Go under testdata/fuzz: commit it, it is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files --cached --others --exclude-standard '*_test.go' | while read -r file; do
  [ -f "$file" ] || continue
  for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
    echo "== $name in $(dirname "$file")"
    go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10s}" </dev/null
  done
done
