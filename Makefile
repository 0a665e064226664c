# make alone prints this list. Each target is one habit; .ci/run runs the same ones.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help build test race lint format cross release reproducible kafka-up kafka-down kafka-clean kafka-address test-kafka test-kafka-secure postgres-up postgres-down postgres-clean postgres-address test-postgres alerts check-deploy check-archive soak demo fuzz bench bench-kafka bench-store bench-state ci

# Tests with these build tags need a real Kafka and kcat, one of their own with TLS and logins, or a PostgreSQL; go test ./... alone leaves them out.
TAGS := -tags kafka,kafka_secure,postgres
# Where the tests live that take their brokers from MILLRACE_TEST_BROKERS.
KAFKA_TESTS ?= ./kafka/... ./deadletter/... ./cmd/... ./integration/...

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  KAFKA_PORT=9092 and BROKERS=1 (or 3) choose the Kafka of kafka-* and test-kafka, POSTGRES_PORT=5433 the PostgreSQL"

build: ## build bin/millrace, static
	CGO_ENABLED=0 go build -trimpath -o bin/millrace ./cmd/millrace

test: ## all tests, on the embedded broker: Go alone, no network
	go test ./...

race: ## all tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -p 2 -timeout 30m ./...

lint: ## gofmt, go vet, staticcheck (pinned in go.mod)
	@unformatted=$$(git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do [ ! -f "$$file" ] || gofmt -l "$$file"; done); \
		[ -z "$$unformatted" ] || { echo "not formatted (make format):" $$unformatted; exit 1; }
	go vet $(TAGS) ./...
	go tool staticcheck $(TAGS) ./...

format: ## gofmt all sources
	@git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do [ ! -f "$$file" ] || gofmt -w "$$file"; done

cross: ## build for macOS on ARM and for Windows
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go build -o /dev/null ./...
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o /dev/null ./...

release: ## build dist/: static binaries of six platforms, checksums, SBOMs (CycloneDX)
	@scripts/release.sh dist

reproducible: ## build the last commit's release twice, from two folders, and compare
	@scripts/reproducible.sh

kafka-up: ## start a real Apache Kafka and wait until it answers (BROKERS=3: three)
	@scripts/kafka.sh up

kafka-down: ## stop it; its data stays under .kafka/
	@scripts/kafka.sh down

kafka-clean: ## stop it and drop its data
	@scripts/kafka.sh clean

kafka-address: ## print its bootstrap address
	@scripts/kafka.sh address

test-kafka: ## the integration tests on a real Kafka, started when none runs; kcat is the independent client
	@scripts/need.sh kcat
	@set -e; brokers=$${MILLRACE_TEST_BROKERS:-$$(scripts/kafka.sh address 2>/dev/null || scripts/kafka.sh up)}; \
		echo "testing on $$brokers"; \
		MILLRACE_TEST_BROKERS=$$brokers go test -count=1 -p 1 -timeout 15m -tags kafka $(KAFKA_TESTS)

postgres-up: ## start a real PostgreSQL and wait until it answers
	@scripts/postgres.sh up

postgres-down: ## stop it; its data stays
	@scripts/postgres.sh down

postgres-clean: ## stop it and drop its data
	@scripts/postgres.sh clean

postgres-address: ## print its address
	@scripts/postgres.sh address

test-postgres: ## the tests of the store, of the consumers and of several processes on a real PostgreSQL, started when none runs
	@set -e; address=$${MILLRACE_TEST_POSTGRES:-$$(scripts/postgres.sh address 2>/dev/null || scripts/postgres.sh up)}; \
		MILLRACE_TEST_POSTGRES=$$address go test -count=1 -p 1 -timeout 20m -tags postgres ./store/... ./handlers/... ./replay/...; \
		MILLRACE_TEST_POSTGRES=$$address go test -count=1 -p 1 -timeout 20m -tags postgres -run Postgres ./integration; \
		MILLRACE_TEST_POSTGRES=$$address go test -count=1 -run Ledger ./examples

alerts: ## check the alert rules and their tests with promtool, installed when it is missing
	@scripts/need.sh promtool
	promtool check config deploy/prometheus/prometheus.yml
	promtool test rules deploy/prometheus/alerts_test.yml

check-deploy: ## check the Kubernetes manifests and the metrics of alerts and dashboards: deploy/check, a module of its own
	cd deploy/check && go vet ./... && go test -count=1 ./...

check-archive: ## run the queries of docs/archive.md with DuckDB on sealed days, in a Python environment of its own
	@scripts/archive.sh

test-kafka-secure: ## TLS, certificates, every login and the least rights, on a real Kafka of its own on the JVM
	@scripts/need.sh java mvn
	@set -e; jars=$$(scripts/kafka.sh jars); \
		MILLRACE_TEST_KAFKA_JARS=$$jars go test -count=1 -timeout 10m -tags kafka_secure -run TestSecure ./integration

soak: ## hundreds of kills, stops, joins and leaves under load, outages of a minute; on a real Kafka with MILLRACE_TEST_BROKERS
	MILLRACE_SOAK=1 go test -count=1 -v -timeout 100m -run "UnderLoad|LeavesNoGoroutine" ./kafka ./integration

demo: ## a day of the platform on the embedded broker, 30 s
	go run ./cmd/millrace demo

fuzz: ## run each fuzz test for FUZZTIME (10s)
	@scripts/fuzz.sh

bench: ## measure against the peers, small, on the embedded broker in a process of its own: bench/RESULTS.md
	go run ./bench -all -records 100000 -limit 5s -report bench/RESULTS.md

bench-kafka: ## measure against the peers on a real Kafka, started when none runs: bench/RESULTS.md (half an hour)
	@set -e; brokers=$${MILLRACE_TEST_BROKERS:-$$(scripts/kafka.sh address 2>/dev/null || scripts/kafka.sh up)}; \
		echo "measuring on $$brokers"; \
		go run ./bench -all -brokers $$brokers -report bench/RESULTS.md

bench-store: ## the orders consumer against the bare statements of the same batches, on SQLite and on the PostgreSQL of postgres-up
	@MILLRACE_TEST_POSTGRES= go test ./bench -run '^$$' -bench Durable -benchtime 1x
	@set -e; address=$${MILLRACE_TEST_POSTGRES:-$$(scripts/postgres.sh address 2>/dev/null || scripts/postgres.sh up)}; \
		MILLRACE_TEST_POSTGRES=$$address go test ./bench -run '^$$' -bench Durable -benchtime 1x

bench-state: ## the fold of a topic against a raw loop that only decodes, its memory, and rebuilt tables against bare statements
	@MILLRACE_TEST_POSTGRES= go test ./bench -run '^$$' -bench State -benchtime 1x -timeout 30m

ci: ## everything that a change must pass
	.ci/run
