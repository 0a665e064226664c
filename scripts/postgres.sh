#!/usr/bin/env bash
# postgres.sh starts and stops a PostgreSQL on 127.0.0.1 for development and tests, from the system's own package. Everything it keeps is under
# .postgres/. It is never for production: it lets everybody on this machine in without a password.
#
#   postgres.sh up       start, wait until it answers, print the address
#   postgres.sh down     stop; the data stays
#   postgres.sh clean    stop and drop the data
#   postgres.sh address  print the address; fails when nothing runs
#   postgres.sh kill     end it as a crash would
#
# POSTGRES_PORT  default 5433: a PostgreSQL of the system's own is on 5432
set -euo pipefail
cd "$(dirname "$0")/.."

port=${POSTGRES_PORT:-5433}
here=$PWD/.postgres/$port # one server per port, so that two can run side by side
user=millrace

say() { echo "postgres: $*" >&2; }
die() {
  say "$@"
  exit 1
}

case $port in '' | *[!0-9]*) die "POSTGRES_PORT is \"$port\", want a number" ;; esac
[ "$port" -ge 1024 ] && [ "$port" -le 60000 ] || die "POSTGRES_PORT is $port, want 1024 to 60000"

# The server refuses to run as root: then it is the package's own user, and its data where that one may write.
data=$here/data
owner=()
if [ "$(id -u)" = 0 ]; then
  data=/var/tmp/millrace-postgres-$(printf %s "$here" | cksum | cut -d' ' -f1)
  owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
as_owner() { (cd / && ${owner[@]+"${owner[@]}"} "$@"); }

# tool prints the path of a tool of the newest version that is installed: Debian keeps them out of the PATH.
tool() {
  local found
  found=$(find /usr/lib/postgresql/*/bin -name "$1" 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v "$1") || die "$1 is missing: install PostgreSQL"
  echo "$found"
}

address="postgres://$user@127.0.0.1:$port/$user?sslmode=disable"

ready() { "$(tool pg_isready)" -q -h 127.0.0.1 -p "$port"; }
running() { as_owner "$(tool pg_ctl)" status -D "$data" >/dev/null 2>&1; }

make_data() {
  local initdb
  initdb=$(tool initdb)
  mkdir -p "$here" "$data"
  [ "${#owner[@]}" = 0 ] || chown postgres:postgres "$data"
  chmod 700 "$data"
  as_owner "$initdb" -D "$data" -U "$user" --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$here/initdb.log" 2>&1 ||
    die "making the data: see ${here#"$PWD"/}/initdb.log"
  cat >>"$data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
log_min_messages = warning
END
}

up() {
  local began=$SECONDS
  scripts/need.sh postgres
  mkdir -p "$here"
  [ -f "$data/PG_VERSION" ] || make_data
  if ! running; then
    if ready; then die "port $port is taken by a server that this script did not start; choose another POSTGRES_PORT"; fi
    as_owner "$(tool pg_ctl)" start -w -t 60 -D "$data" -l "$data/server.log" -o "-p $port" >/dev/null || {
      tail -n 15 "$data/server.log" >&2
      die "starting: its last lines are above"
    }
  fi
  until ready; do
    [ $((SECONDS - began)) -lt 60 ] || die "it does not answer on port $port"
    sleep 0.1
  done
  as_owner "$(tool createdb)" -h 127.0.0.1 -p "$port" -U "$user" "$user" 2>/dev/null || true # it is there already
  say "PostgreSQL answers on port $port after $((SECONDS - began)) s"
  echo "$address"
}

down() {
  if running; then as_owner "$(tool pg_ctl)" stop -w -m fast -D "$data" >/dev/null; fi
  [ "${1:-}" != clean ] || rm -rf "$here" "$data"
  say "nothing of ours runs on port $port"
}

case ${1:-} in
  up) up ;;
  down) down ;;
  clean) down clean ;;
  kill) as_owner "$(tool pg_ctl)" stop -W -m immediate -D "$data" >/dev/null ;;
  address)
    { running && ready; } || die "nothing of ours runs on port $port: make postgres-up"
    echo "$address"
    ;;
  *) die "want up, down, clean, kill or address" ;;
esac
