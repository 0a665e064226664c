#!/usr/bin/env bash
# kafka.sh starts and stops a real Apache Kafka on 127.0.0.1 for development and tests: with Docker when an engine answers, else from Maven
# Central on the JVM, with the settings that the compose file has for its Kafka (scripts/kafka). Everything it keeps is under .kafka/. It is
# never for production: nothing on it is encrypted or asks who you are.
#
#   kafka.sh up       start, wait until it answers, print the bootstrap address
#   kafka.sh down     stop; the data stays
#   kafka.sh clean    stop and drop the data
#   kafka.sh address  print the bootstrap address; fails when nothing runs
#   kafka.sh kill N   end broker N of a running cluster as a crash would
#   kafka.sh revive N start broker N again and wait until all brokers answer
#   kafka.sh jars     fetch Kafka for the JVM, when it is not here yet, and print where it is: for tests that start one of their own
#
# KAFKA_PORT  first port, default 9092; broker N listens on KAFKA_PORT+N-1, its controller on KAFKA_PORT+1000+N-1, the other brokers reach it on
#             KAFKA_PORT+2000+N-1; below 32768, where systems begin to take ports for outgoing connections, none is taken by chance
# BROKERS     1 (default) or 3
# KAFKA_ON    docker or jvm; unset: docker when its engine answers
set -euo pipefail
cd "$(dirname "$0")/.."

port=${KAFKA_PORT:-9092}
brokers=${BROKERS:-1}
state=$PWD/.kafka
here=$state/$port # one cluster per port, so that two can run side by side
jars=$state/jars

say() { echo "kafka: $*" >&2; }
die() {
  say "$@"
  exit 1
}

case $brokers in 1 | 3) ;; *) die "BROKERS is $brokers, want 1 or 3" ;; esac
case $port in '' | *[!0-9]*) die "KAFKA_PORT is \"$port\", want a number" ;; esac
[ "$port" -ge 1024 ] && [ "$port" -le 60000 ] || die "KAFKA_PORT is $port, want 1024 to 60000"

# bootstrap prints the addresses of a cluster of $1 brokers.
bootstrap() {
  local n list=""
  for n in $(seq 1 "$1"); do list="$list,127.0.0.1:$((port + n - 1))"; done
  echo "${list#,}"
}

open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# running reports whether process $1 is the broker of node folder $2 (a pid alone may have been given to another process).
running() { [ -n "$1" ] && ps -o command= -p "$1" 2>/dev/null | grep -qF "kafka.Kafka $2/node.properties"; }

pid_of() { cat "$1/pid" 2>/dev/null || true; }

# nodes prints the node folders of this port whose broker runs.
nodes() {
  local node
  for node in "$here"/node*; do
    if running "$(pid_of "$node")" "$node"; then echo "$node"; fi
  done
}

with_docker() {
  case ${KAFKA_ON:-} in
    docker) return 0 ;;
    jvm) return 1 ;;
    '') docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 ;;
    *) die "KAFKA_ON is \"$KAFKA_ON\", want docker or jvm" ;;
  esac
}

# compose_file is where the settings of this Kafka are.
compose_file() { [ "$brokers" = 1 ] && echo docker-compose.yml || echo scripts/kafka/cluster.yml; }

compose() {
  local project=millrace
  [ "$brokers" = 1 ] || project=millrace-cluster
  KAFKA_PORT=$port KAFKA_PORT_1=$port KAFKA_PORT_2=$((port + 1)) KAFKA_PORT_3=$((port + 2)) \
    docker compose --project-directory . -f "$(compose_file)" -p "$project-$port" "$@"
}

# java_main runs a class of the jars.
java_main() { java -Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$jars/*" "$@"; }

# fetch copies the broker's jars from Maven Central, once.
fetch() {
  [ -f "$jars/complete" ] && cmp -s "$jars/complete" scripts/kafka/pom.xml && return
  scripts/need.sh java mvn
  say "fetching Apache Kafka from Maven Central (about 54 MB)"
  rm -rf "$jars"
  mvn -q -B -f scripts/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars" >&2 ||
    die "fetching Apache Kafka: Maven gave up, its words are above"
  cp scripts/kafka/pom.xml "$jars/complete"
}

# configure writes the settings of all nodes into their folders: those of the compose file.
configure() {
  local nodes
  nodes=$(go run ./scripts/kafka "$(compose_file)" "$port" "$here") || die "making the settings of $(compose_file) into server.properties: see above"
  [ "$nodes" = "$brokers" ] || die "$(compose_file) has $nodes nodes, want $brokers"
}

# launch starts the broker of node $1 in folder $2, away from this terminal, so that Ctrl-C here does not stop it.
launch() {
  local heap=1g detach=()
  [ "$brokers" = 1 ] || heap=512m
  if [ ! -f "$2/data/meta.properties" ]; then
    # Every node of a cluster has the same id: 16 bytes in base64. There is nothing that it must differ from.
    java_main kafka.tools.StorageTool format -t millrace-local-kafka-Q -c "$2/node.properties" >"$2/format.log" 2>&1 ||
      die "formatting node $1: see $2/format.log"
  fi
  if command -v setsid >/dev/null; then detach=(setsid); fi
  ${detach[@]+"${detach[@]}"} nohup java -Xms256m -Xmx"$heap" -Dorg.slf4j.simpleLogger.showDateTime=true \
    -Dorg.slf4j.simpleLogger.dateTimeFormat='yyyy-MM-dd HH:mm:ss.SSS' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server=info \
    -cp "$jars/*" kafka.Kafka "$2/node.properties" >"$2/server.log" 2>&1 </dev/null &
  echo $! >"$2/pid"
}

# answering reports whether all brokers are known and not fenced, in the words of a broker.
answering() {
  local known
  known=$(java_main org.apache.kafka.tools.BrokerApiVersionsCommand --bootstrap-server "$(bootstrap "$brokers")" 2>/dev/null |
    grep -c 'isFenced: false') || true
  [ "$known" = "$brokers" ]
}

# await waits until every broker listens and answers; a broker that ended is not waited for.
await() {
  local deadline=$((SECONDS + ${KAFKA_START_TIMEOUT:-90})) n
  for n in $(seq 1 "$brokers"); do
    until open $((port + n - 1)); do
      running "$(pid_of "$here/node$n")" "$here/node$n" || give_up "node $n ended"
      [ "$SECONDS" -lt "$deadline" ] || give_up "node $n does not listen on port $((port + n - 1))"
      sleep 0.1
    done
  done
  until answering; do
    [ "$SECONDS" -lt "$deadline" ] || give_up "not all of $brokers brokers answer"
    sleep 0.2
  done
}

give_up() {
  local log
  for log in "$here"/node*/server.log; do
    say "the last lines of ${log#"$PWD"/}:"
    tail -n 15 "$log" >&2
  done
  down_jvm
  die "starting: $1"
}

up_jvm() {
  local n at count
  count=$(nodes | wc -l | tr -d ' ')
  if [ "$count" != 0 ]; then
    [ "$count" = "$brokers" ] || die "$count broker(s) run on port $port, asked for $brokers: make kafka-down first"
    await
    say "already running"
    return
  fi
  if [ -d "$here/node1" ] && [ "$(find "$here" -maxdepth 1 -name 'node*' | wc -l | tr -d ' ')" != "$brokers" ]; then
    die "the data in ${here#"$PWD"/} is of another number of brokers: make kafka-clean first"
  fi
  for n in $(seq 0 $((brokers - 1))); do
    for at in $((port + n)) $((port + 1000 + n)) $((port + 2000 + n)); do
      if open "$at"; then die "port $at is taken by a process that this script did not start; choose another KAFKA_PORT"; fi
    done
  done
  fetch
  scripts/need.sh java ps
  configure
  for n in $(seq 1 "$brokers"); do
    launch "$n" "$here/node$n"
  done
  await
}

# down_jvm stops the brokers of this port: politely, together, and after 30 s for good.
down_jvm() {
  local node deadline=$((SECONDS + 30)) list
  list=$(nodes)
  [ -n "$list" ] || return 0
  for node in $list; do kill "$(pid_of "$node")" 2>/dev/null || true; done
  while [ -n "$(nodes)" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      for node in $(nodes); do kill -9 "$(pid_of "$node")" 2>/dev/null || true; done
    fi
    sleep 0.1
  done
  for node in $list; do rm -f "$node/pid"; done
}

up() {
  local began=$SECONDS
  if with_docker; then
    compose up --detach --wait $([ "$brokers" != 1 ] || echo kafka) >&2 || die "docker compose gave up, its words are above"
    mkdir -p "$here"
    echo "docker $brokers" >"$here/on"
  else
    up_jvm
    echo "jvm $brokers" >"$here/on"
  fi
  bootstrap "$brokers" >"$here/bootstrap"
  cp "$here/bootstrap" "$state/bootstrap"
  say "Apache Kafka, $brokers broker(s) on $(cut -d' ' -f1 "$here/on"), answers after $((SECONDS - began)) s"
  cat "$here/bootstrap"
}

down() {
  local list on=""
  [ ! -f "$here/on" ] || read -r on brokers <"$here/on"
  case $on in
    docker) compose down $([ "${1:-}" != clean ] || echo --volumes) >&2 ;;
    *) down_jvm ;;
  esac
  rm -f "$here/bootstrap" "$state/bootstrap"
  # Another cluster of ours that still runs is now the one that .kafka/bootstrap names.
  for list in "$state"/*/bootstrap; do
    if [ -f "$list" ]; then cp "$list" "$state/bootstrap" && break; fi
  done
  [ "${1:-}" != clean ] || rm -rf "$here"
  say "nothing of ours runs on port $port"
}

# started reads how the cluster of this port was started, and that it has a broker $1.
started() {
  [ -f "$here/on" ] || die "nothing of ours runs on port $port: make kafka-up"
  read -r on brokers <"$here/on"
  case ${1:-} in
    '' | *[!0-9]*) die "name a broker, 1 to $brokers" ;;
  esac
  [ "$1" -ge 1 ] && [ "$1" -le "$brokers" ] || die "there is no broker $1, want 1 to $brokers"
}

# service is broker $1 in the compose file.
service() { if [ "$brokers" = 1 ]; then echo kafka; else echo "kafka-$1"; fi; }

kill_broker() {
  local on node=$here/node$1
  started "$1"
  if [ "$on" = docker ]; then
    compose kill "$(service "$1")" >&2
    return
  fi
  running "$(pid_of "$node")" "$node" || die "broker $1 does not run"
  kill -9 "$(pid_of "$node")"
  while running "$(pid_of "$node")" "$node"; do sleep 0.05; done
  say "broker $1 is killed"
}

revive() {
  local on node=$here/node$1
  started "$1"
  if [ "$on" = docker ]; then
    compose up --detach --wait "$(service "$1")" >&2
    return
  fi
  running "$(pid_of "$node")" "$node" || launch "$1" "$node"
  await
  say "broker $1 is back"
}

# address believes the file only while the first broker listens: a reboot leaves the file behind.
address() {
  { [ -f "$here/bootstrap" ] && open "$port"; } || die "nothing of ours runs on port $port: make kafka-up"
  cat "$here/bootstrap"
}

# locked runs a command while no other kafka.sh of this tree changes anything. The lock of a process that is gone is taken over.
locked() {
  local lock=$state/lock deadline=$((SECONDS + 180)) owner
  mkdir -p "$state"
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; fi
    [ "$SECONDS" -lt "$deadline" ] || die "waiting for process ${owner:-unknown}: remove ${lock#"$PWD"/} if it is gone"
    sleep 0.2
  done
  echo $$ >"$lock/pid"
  trap 'rm -rf "$state/lock"' EXIT
  "$@"
}

case ${1:-} in
  up) locked up ;;
  down) locked down ;;
  clean) locked down clean ;;
  address) address ;;
  kill) locked kill_broker "${2:-}" ;;
  revive) locked revive "${2:-}" ;;
  jars)
    locked fetch
    echo "$jars"
    ;;
  *) die "want up, down, clean, address, jars, kill or revive" ;;
esac
