# Everything that a developer or a CI machine does starts here; `make` alone lists it.

MODULE   := github.com/ebpfless/ebpfless
BIN      ?= bin
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMANDS := $(notdir $(patsubst %/,%,$(dir $(wildcard src/cmd/*/main.go))))
SCRIPTS   = $(shell git ls-files -co --exclude-standard ':!*.txtar' | xargs -r grep -lIE '^\#!/(usr/)?bin/(env )?(ba|da)?sh' 2>/dev/null)
GOARCH   ?= $(shell go env GOARCH)
FUZZTIME ?= 20s
REPO     ?= dist/repo
IMAGE    ?= dir:dist/image
ROUNDS   ?= 5
RELEASE_FLAGS ?= --snapshot
BENCHTIME ?= 1s
SELINUX_PARTS ?= all

# A tag v1.2.3 is a release, v1.2.3-rc1 and a changed tree come before it; everything else sorts below the next one in both formats,
# by the time of its commit.
tag              = $(patsubst v%,%,$(shell git describe --tags --exact-match --match 'v*' --dirty 2>/dev/null))
PACKAGE_VERSION ?= $(or $(subst -,~,$(tag)),0.0.0~git$(shell TZ=UTC git log -1 --format=%cd.%h --date=format-local:%Y%m%d%H%M%S))
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

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

GORELEASER  := github.com/goreleaser/goreleaser/v2@v2.15.1
SBOM        := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help build run test test-detections test-ordinary test-init packages repo image release test-packages test-install test-docker test-docker-host test-kernels test-selinux test-arm64 check fuzz bench clean setup $(COMMANDS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

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

test-ordinary: build ## ten minutes of ordinary work, in which no default rule may hit (needs root)
	ORDINARY_FOR=10m tests/system/ordinary/run

test-init: build ## protect real services in booted containers with systemd and sysvinit (needs root; some minutes)
	tests/system/init/run

packages: ## build .deb and .rpm packages for amd64 and arm64 into dist/
	rm -rf dist && mkdir -p dist/man dist/completions dist/selinux
	for arch in amd64 arm64; do $(MAKE) --no-print-directory GOARCH=$$arch BIN=dist/bin/$$arch VERSION=$(PACKAGE_VERSION) build; done
	$(MAKE) --no-print-directory -C selinux OUT=$(abspath dist/selinux)
	for page in packaging/man/*.[58]; do gzip -9nc $$page >dist/man/$${page##*/}.gz; done
	for name in $(COMMANDS); do for shell in bash zsh fish; do \
		dist/bin/$(shell go env GOHOSTARCH)/$$name completion $$shell >dist/completions/$$name.$$shell || exit 1; done; done
	gzip -9nc CHANGELOG.md >dist/NEWS.gz
	GOARCH= go run ./packaging/build -dist dist -version '$(PACKAGE_VERSION)' -epoch $(SOURCE_DATE_EPOCH)
	for arch in amd64 arm64; do packaging/tarball dist $$arch '$(PACKAGE_VERSION)' || exit 1; for name in $(COMMANDS); do \
		go run $(SBOM) bin -json -output dist/$$name-$$arch.cdx.json -noserial dist/bin/$$arch/$$name 2>/dev/null && \
		sed -i "s/\"timestamp\": \".*\"/\"timestamp\": \"$$(date -u -d @$(SOURCE_DATE_EPOCH) +%FT%TZ)\"/" dist/$$name-$$arch.cdx.json || exit 1; done; done
	cd dist && sha256sum *.deb *.rpm *.tar.gz *.cdx.json >SHA256SUMS

repo: ## make signed apt and yum repositories of dist/ in REPO (SIGNING_KEY=file)
	packaging/repo/make dist $(REPO)

image: ## make the container image for amd64 and arm64 out of dist/ in IMAGE (docker://REGISTRY/NAME:TAG publishes it)
	packaging/docker/image '$(PACKAGE_VERSION)' $(IMAGE)

release: ## build and sign a release by goreleaser (SIGNING_KEY=file; RELEASE_FLAGS= publishes; slow)
	go run $(GORELEASER) check
	go run $(GORELEASER) release --clean $(RELEASE_FLAGS)

test-packages: ## install, upgrade and purge the packages in booted containers (needs root; some minutes)
	tests/system/packages/run

test-install: ## run the installer on fresh hosts in booted containers (needs root; some minutes)
	tests/system/install/run

test-docker: ## run probe and wrapped applications under a real Docker engine (needs root)
	tests/system/docker/run

test-docker-host: ## the guide's steps for Docker, all capabilities included, on a whole host in a virtual machine (needs root; some minutes)
	tests/system/docker/run host

test-kernels: ## run the programs on the distribution's kernel, and on each bzImage-VERSION in KERNELS=DIR, in virtual machines
	tests/system/kernels/run

test-selinux: ## run the packages on an enforcing SELinux host in a virtual machine (needs root; some minutes)
	tests/system/selinux/run $(SELINUX_PARTS)

test-arm64: ## run programs, traced programs and packages on an emulated arm64 machine (needs root)
	tests/system/arm64/run

check: ## gofmt, go vet, staticcheck, shellcheck
	@unformatted=$$(gofmt -l src tests); test -z "$$unformatted" || { echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	shellcheck $(SCRIPTS)

fuzz: ## run each fuzz target for FUZZTIME (20s)
	.ci/fuzz $(FUZZTIME)

bench: build ## measure what tracing costs, in turn with native runs (ROUNDS=5), and the packages' benchmarks
	go run ./tests/bench -rounds $(ROUNDS) $(BENCHFLAGS) $(BIN)
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem ./src/...

clean: ## remove what was built
	rm -rf bin dist .cache

setup: ## install the compilers that the test programs need (needs root; says what is missing otherwise)
	@.ci/setup
