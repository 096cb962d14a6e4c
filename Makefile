# Everything that a developer or a CI machine does starts here; `make` alone lists it.

MODULE   := github.com/ebpfless/ebpfless
BIN      ?= bin
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMANDS := $(notdir $(patsubst %/,%,$(dir $(wildcard src/cmd/*/main.go))))
SCRIPTS   = $(shell git ls-files -co --exclude-standard | xargs -r grep -lIE '^\#!/(usr/)?bin/(env )?(ba|da)?sh' 2>/dev/null)
GOARCH   ?= $(shell go env GOARCH)
FUZZTIME ?= 20s
ROUNDS   ?= 5

export CGO_ENABLED := 0

# Static binaries need no C library of the host, and paths of the build machine have no place in them.
LDFLAGS = -s -w \
  -X $(MODULE)/src/cli/tracer.Version=$(VERSION) \
  -X $(MODULE)/src/cli/probe.Version=$(VERSION) \
  -X $(MODULE)/src/cli/ctl.Version=$(VERSION)

# The tracer notes the signal dispositions that it was started with before the Go runtime overwrites them, so its entry
# point is its own. An architecture without that file starts as every Go program does.
TRACER_LDFLAGS ?= $(if $(wildcard src/tracer/launch/entry_$(GOARCH).s),-E $(MODULE)/src/tracer/launch.entry)
ldflags-cws-instrumentation = $(TRACER_LDFLAGS)

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help build run test test-detections test-init check fuzz bench clean setup $(COMMANDS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

build: $(COMMANDS) ## build the static programs into bin/

# Always through the go command, which knows what is stale.
$(COMMANDS):
	go build -trimpath -ldflags '$(LDFLAGS) $(ldflags-$@)' -o $(BIN)/$@ ./src/cmd/$@

run: build ## show it at work: a probe, a hostile program under the tracer, and what is detected
	tests/demo/run $(BIN)

test: setup ## run all tests, those with traced programs included
	CGO_ENABLED=0 go test $(GOTESTFLAGS) ./...

test-detections: build ## do what each default rule is about, harmlessly, and print what is detected (needs root)
	go run ./tests/detections $(BIN)

test-init: build ## protect real services in booted containers with systemd and sysvinit (needs root; some minutes)
	tests/system/init/run

check: ## gofmt, go vet, staticcheck, shellcheck
	@unformatted=$$(gofmt -l src tests); test -z "$$unformatted" || { echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	shellcheck $(SCRIPTS)

fuzz: ## run each fuzz target for FUZZTIME (20s)
	.ci/fuzz $(FUZZTIME)

bench: build ## measure what tracing costs, in turn with native runs (ROUNDS=5), and the packages' benchmarks
	go run ./tests/bench -rounds $(ROUNDS) $(BIN)
	go test -run '^$$' -bench . -benchmem ./src/...

clean: ## remove what was built
	rm -rf bin dist .cache

setup: ## install the compilers that the test programs need (needs root; says what is missing otherwise)
	@.ci/setup
