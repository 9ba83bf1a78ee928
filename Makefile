# Groundwork. "make up" runs everything, "make test" passes all tests; both install what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
GO ?= go
TOOL := $(GO) tool -modfile=tools/go.mod
REVISION := $(or $(shell git describe --always --dirty 2>/dev/null),unreleased)
# The revision comes from git describe; Go's own stamping fails where the checkout belongs to another user.
export GOFLAGS += -buildvcs=false

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: up
up: build engines ## build, then run everything on the embedded engines (ARGS="--help" shows the options)
	@exec bin/groundwork up $(ARGS)

.PHONY: build
build: graphiql ## build bin/groundwork
	@$(GO) build -trimpath -ldflags "-X main.revision=$(REVISION)" -o bin/groundwork ./cmd/groundwork

# npm's own record of what is installed says whether the lock file is newer.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: engines
engines: node_modules/.package-lock.json ## install the embedded engines and GraphiQL, once (npm, pinned by the lock file)

.PHONY: graphiql
graphiql: web/graphiql/dist/index.html ## bundle GraphiQL, once

web/graphiql/dist/index.html: node_modules/.package-lock.json web/graphiql/build.mjs $(wildcard web/graphiql/src/*)
	npm run --silent graphiql

.PHONY: test
test: build engines ## run all tests (with the race detector)
	$(GO) test -race -timeout 40m ./...

# The rules of all lives: guards, tables, what follows from events.
RULES := guards.go verdict.go due.go lifecycle.go plan.go leg.go spell.go target.go worktime.go life.go visit_life.go rota.go campaign_life.go campaign_task.go \
	policy_life.go discussion.go formalism_flag.go assessment.go subject_target.go

.PHONY: mutation
mutation: ## change the rules one at a time and list the changes that no test notices
	$(GO) run ./internal/mutate -least 90 $(RULES)

.PHONY: soak
soak: build engines ## break the replication in every way, ROUNDS=200 times (SEED=n repeats a run), and compare after each
	GROUNDWORK_SOAK_ROUNDS=$(or $(ROUNDS),200) GROUNDWORK_ETL_SEED=$(SEED) $(GO) test ./etl -run 'TestSoak$$' -count=1 -v -timeout 2h

.PHONY: lint
lint: ## golangci-lint with the import rules of the house
	$(TOOL) golangci-lint run ./...

.PHONY: generate
generate: ## regenerate all generated code
	$(GO) generate ./...

.PHONY: check-generated
check-generated: generate ## fail if the committed generated code, or go.mod, is stale
	$(GO) mod tidy -diff
	git diff --exit-code
	@stray=$$(git ls-files --others --exclude-standard); test -z "$$stray" || { echo "generated, but not committed: $$stray"; exit 1; }

.PHONY: clean
clean: ## remove what was built (never ./data)
	rm -rf bin web/graphiql/dist
