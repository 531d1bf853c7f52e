# `make test` runs everything; `make help` lists the parts. Go alone is enough for
# `go test ./...`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

# The interoperation tests use the peers that are installed. In "required" mode a
# missing one is a failure; "off" is for the runs that are about something else.
export RFC6455_PEERS ?= off

# Debian installs nginx and HAProxy where not everybody looks.
export PATH := $(PATH):/usr/sbin

# What `make test` runs, in this order.
STAGES := install format vet cross unit race purego 386 arm64 bench cover interop nested rename-check

# The least statement coverage of a package by its own tests, in percent.
COVERAGE := mask=100 frame=100 handshake=100 conn=95 conn/deflate=100 \
	socketio=95 socketio/parser=100 socketio/engineio=97 socketio/engineio/codec=100

# The modules that need more than the root module may have.
MODULES = $(patsubst ./%/go.mod,%,$(shell find . -mindepth 2 -name go.mod -not -path '*/node_modules/*'))

TEST := go test -count=1 -timeout=10m

.PHONY: help test $(STAGES) fuzz mutants bench-compare bench-report rename
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 14

test: ## run all of the following and say what failed
	@passed=0 failed=0 summary=
	for stage in $(STAGES); do
		echo "== $$stage"
		start=$$SECONDS outcome=passed
		$(MAKE) --no-print-directory $$stage || outcome=FAILED
		if [[ $$outcome == passed ]]; then passed=$$((passed+1)); else failed=$$((failed+1)); fi
		summary+=$$(printf '%-14s%s in %d s' $$stage $$outcome $$((SECONDS-start)))$$'\n'
	done
	printf '\n%sstages: %d passed, %d failed\n' "$$summary" $$passed $$failed
	((failed == 0))

install: ## install the peers of the interoperation tests that are missing
	@bash conn/internal/interop/install.sh
	find . -name package-lock.json -not -path '*/node_modules/*' | while read -r lock; do
		cd "$(CURDIR)/$$(dirname "$$lock")"
		[[ node_modules/.package-lock.json -nt package-lock.json ]] && continue # npm writes it last
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null
		touch node_modules/.package-lock.json
	done

format: ## fail if gofmt would change a file
	@files=$$(gofmt -l .)
	[[ -z $$files ]] || { echo "run gofmt -w on:" $$files; exit 1; }

vet: ## go vet, and go fix has nothing to do
	@go vet ./...
	go vet -tags purego ./...
	go fix -diff ./...

cross: ## go vet for systems that the tests do not run on
	@for target in windows/amd64 darwin/arm64 freebsd/amd64 linux/arm64 js/wasm; do
		echo $$target
		GOOS=$${target%/*} GOARCH=$${target#*/} go vet ./...
	done

unit: ## tests, examples and fuzz seeds
	@$(TEST) ./...

race: ## the same under the race detector, in random order
	@$(TEST) -race -shuffle=on ./...

purego: ## the same without assembly
	@$(TEST) -tags purego ./...

386: ## the same with 32-bit integers
	@GOARCH=386 $(TEST) ./...

arm64: ## the assembly of the other processor, under emulation
	@GOARCH=arm64 CGO_ENABLED=0 $(TEST) -exec qemu-aarch64-static ./mask ./frame

bench: ## every benchmark once
	@$(TEST) -run '^$$' -bench . -benchtime 1x ./... |
	grep -vE '^(Benchmark|goos|goarch|pkg|cpu|PASS)'

cover: ## fail if a package's coverage is below COVERAGE, or what fuzz seeds cover below 98 %
	@$(TEST) -cover $(foreach c,$(COVERAGE),./$(firstword $(subst =, ,$c))) |
	awk -v least='$(COVERAGE)' -v module="$$(go list -m)/" '
		BEGIN { n = split(least, pairs); for (i = 1; i <= n; i++) { split(pairs[i], p, "="); want[p[1]] = p[2] } }
		{ print }
		match($$0, /coverage: [0-9.]+%/) {
			package = $$2; sub(module, "", package)
			if (substr($$0, RSTART + 10, RLENGTH - 11) + 0 < want[package]) { print "want " want[package] "%"; failed = 1 }
			seen++
		}
		END { exit failed || seen < n }'
	go run ./fuzz/run -cover 98

interop: ## the tests with real peers, which must be installed
	@log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	RFC6455_PEERS=required $(TEST) -v -race -shuffle=on $(shell go list ./... | grep internal/interop) >"$$log" 2>&1 || { cat "$$log"; exit 1; }
	grep -E '^ {0,4}--- |^ok' "$$log"

nested: ## vet and test the nested modules, with real peers
	@for module in $(MODULES); do
		echo $$module
		(cd $$module && go mod tidy -diff && go vet ./... && RFC6455_PEERS=required $(TEST) ./...)
	done

FUZZTIME ?= 30s

fuzz: ## FUZZTIME=30s: fuzz every target for so long
	@go run ./fuzz/run -time $(FUZZTIME)

mutants: ## [FUZZTIME=10m]: have the tests and the fuzz targets find seeded faults
	@go run ./fuzz/mutants $(if $(filter command line,$(origin FUZZTIME)),-fuzztime $(FUZZTIME))

# Benchmarks that are compared, how often and how long each time, and what makes
# the table.
BENCH ?= .
ROUNDS ?= 8
BENCHTIME ?= 50ms
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

bench-compare: ## BASE=revision: what changed since then, by benchstat [BENCH= ROUNDS= BENCHTIME=]
	@[[ -n "$(BASE)" ]] || { echo 'usage: make bench-compare BASE=revision'; exit 1; }
	dir=$$(mktemp -d)
	trap 'rm -rf "$$dir"' EXIT
	mkdir "$$dir/base"
	git archive $(BASE) | tar -x -C "$$dir/base"
	packages=$$(git grep -lE '^func Benchmark' -- ':(top)*_test.go' | xargs -n 1 dirname | sort -u)
	for package in $$packages; do
		[[ -d $$dir/base/$$package && $$(cd $$package && go list -m) == $$(go list -m) ]] || continue
		name=$${package//\//-}
		go test -c -o "$$dir/$$name.new" ./$$package
		(cd "$$dir/base" && go test -c -o "$$dir/$$name.old" ./$$package)
		for ((round = 0; round < $(ROUNDS); round++)); do
			for side in old new; do
				(cd $$package && "$$dir/$$name.$$side" -test.run '^$$' -test.bench '$(BENCH)' -test.benchtime $(BENCHTIME) -test.cpu 1) >>"$$dir/$$side"
			done
		done
	done
	go run $(BENCHSTAT) "$(BASE)=$$dir/old" "here=$$dir/new"

bench-report: ## compare with other libraries and write bench/README.md [QUICK=1: minutes, not an hour; or ROUNDS=2 TIME=400ms]
	@dir=$$(mktemp -d)
	trap 'rm -rf "$$dir"' EXIT
	cd bench/rivals
	for ((round = 0; round < $(if $(QUICK),1,$(or $(ROUNDS),5)); round++)); do
		go test -run '^$$' -bench . -benchtime $(if $(QUICK),10ms,100ms) -timeout 1h -cpu 1 . | tee -a "$$dir/memory"
	done
	go run ./processes $(if $(QUICK),-quick) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(TIME),-time $(TIME)) | tee "$$dir/processes"
	go run ./report -out .. -command 'make bench-report$(if $(QUICK), QUICK=1)$(if $(ROUNDS), ROUNDS=$(ROUNDS))$(if $(TIME), TIME=$(TIME))' "$$dir/processes" "$$dir/memory"

rename: ## MODULE=path: change the module path in every file
	@[[ -n "$(MODULE)" ]] || { echo 'usage: make rename MODULE=example.com/some/path'; exit 1; }
	old=$$(go list -m)
	grep -rlIF --exclude-dir=.git --exclude-dir=node_modules "$$old" . |
		xargs sed -i "s|$${old//./\\.}|$(MODULE)|g"
	gofmt -w .

rename-check: ## rename works, and no file has the path in another form
	@copy=$$(mktemp -d)
	trap 'rm -rf "$$copy"' EXIT
	tar -c --exclude=./.git --exclude=node_modules . | tar -x -C "$$copy"
	$(MAKE) --no-print-directory -C "$$copy" rename MODULE=renamed.test/some/path
	cd "$$copy"
	if grep -rnIi 'rfc6455[/]' .; then echo 'these do not follow the module path'; exit 1; fi
	for module in . $(MODULES); do (cd $$module && go vet ./...); done
