#!/usr/bin/env bash
# need.sh makes sure that the named tools are here: java (17 or newer), mvn, kcat, promtool, make, gcc, ps, postgres, python3-venv. As root on Debian or Ubuntu it
# installs what is missing; elsewhere it says what to install. It changes nothing when all of them are here.
set -euo pipefail

# has reports whether a tool is here and new enough.
has() {
  case $1 in
    # macOS has a java stub that only prints an advice, so it is run; the broker needs 17.
    java) java -version 2>&1 | awk -F'[".]' '/version/ {found = $2 >= 17} END {exit !found}' ;;
    # Debian keeps the server's tools out of the PATH.
    postgres) command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 ;;
    # Debian keeps what makes an environment apart from Python itself.
    python3-venv) python3 -c 'import ensurepip, venv' >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

package() {
  case $1 in
    java) echo default-jre-headless ;;
    mvn) echo maven ;;
    gcc) echo gcc libc6-dev ;; # the compiler alone has no headers
    ps) echo procps ;;
    postgres) echo postgresql ;;
    promtool) echo prometheus ;;
    *) echo "$1" ;;
  esac
}

packages=()
missing=()
for tool in "$@"; do
  if ! has "$tool"; then
    missing+=("$tool")
    # shellcheck disable=SC2207 # a tool may need two packages
    packages+=($(package "$tool"))
  fi
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]} (java must be 17 or newer); on Debian or Ubuntu: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing ${packages[*]}" >&2
# promtool comes with a server that would begin to run: it is told not to, under systemd and without.
case " ${missing[*]} " in *" promtool "*)
  [ ! -d /run/systemd/system ] || systemctl mask --quiet prometheus.service
  export RUNLEVEL=1
  ;;
esac
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "installing ${packages[*]}: apt-get gave up, its words are above" >&2
  exit 1
fi
for tool in "${missing[@]}"; do
  if ! has "$tool"; then
    echo "$tool is still missing (java must be 17 or newer) after installing $(package "$tool")" >&2
    exit 1
  fi
done
