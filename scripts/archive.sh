#!/usr/bin/env bash
# archive.sh seals a day of the demo and runs the queries of docs/archive.md on it with DuckDB, which comes from PyPI into a Python environment of
# its own. As root on Debian or Ubuntu it installs what Python lacks; elsewhere it says so.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need.sh python3-venv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 -m venv "$scratch/python"
"$scratch/python/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0 pytz==2026.6

go build -o "$scratch/millrace" ./cmd/millrace
export MILLRACE_HTTP_ADDRESS=127.0.0.1:0 MILLRACE_LOG_LEVEL=error
if ! "$scratch/millrace" demo --once --events 5000 --poison 40 -o json --data-dir "$scratch/data" >"$scratch/demo.json" 2>"$scratch/demo.log"; then
  cat "$scratch/demo.log" >&2
  exit 1
fi
"$scratch/millrace" archive seal --all --data-dir "$scratch/data"
"$scratch/millrace" archive verify --data-dir "$scratch/data"
"$scratch/python/bin/python" scripts/archive.py docs/archive.md "$scratch/data"
