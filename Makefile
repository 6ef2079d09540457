# Everything a developer or an operator runs. `make` alone lists it. The work itself is in dev/*.sh.
#
# PG_CONFIG=/path/pg_config   use your own PostgreSQL (15 to 18) instead of the one that `make setup` fetches
# PREFIX=/usr/local           where `make install` puts the worker
# ONLY=embed                  `make bench` measures only the cases whose names start so; several, with spaces between
# KEEP=1                      `make demo` leaves its server running until you press Ctrl-C

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Cargo uses all processors by itself, and the order of the steps matters.
.NOTPARALLEL:
# The scripts say what they do; the commands themselves need no echo.
.SILENT:
.PHONY: help demo test chaos fuzz bench docs install package setup fmt lint clean check pgtest dev-pgspot dev-chaos dev-monitoring dev-model-clients dev-webhook-libraries dev-otlp-sink dev-models dev-packages dev-server dev-postgres15 dev-tools dev-pgrx-home

PREFIX ?= /usr/local
RUN := dev/with_env.sh

# The caller's own server where PG_CONFIG is set, the fetched ones otherwise.
MAIN := $(if $(PG_CONFIG),own,18)
EVERY := $(if $(PG_CONFIG),own,18 15)

help: ## list the targets
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	echo "  Add PG_CONFIG=/path/pg_config to use your own PostgreSQL 15 to 18."

demo: dev-server dev-pgrx-home ## start a throw-away PostgreSQL and worker, and show hooks at work
	# Without models read in process, which the demo has no use for.
	dev/install_extension.sh $(MAIN) --also zerodb_hooks_worker zerodb_hooks_demo
	$(RUN) "$${CARGO_TARGET_DIR:-target}/debug/zerodb_hooks_demo"

# The in-server tests come before the plain installs, because they leave a build with tests inside in the servers' folders.
test: setup dev-pgspot dev-chaos dev-monitoring dev-model-clients dev-webhook-libraries dev-otlp-sink dev-models check pgtest ## run every test: format, Clippy, in-server, worker, end to end
	for server in $(EVERY); do dev/install_extension.sh $$server --if-present; done
	echo "==> building and testing the worker (about 6 minutes the first time)"
	# With the feature that the end-to-end tests ask for, so that they find the worker built.
	$(RUN) cargo build --quiet -p zerodb_hooks_worker -p zerodb_hooks_harness --bins --features zerodb_hooks_worker/otlp
	# A suite that fails hides none of those after it. End to end, tests wait for half of their time: two more run at once.
	failed=0; \
	$(RUN) cargo test --no-fail-fast --workspace --features zerodb_hooks_worker/otlp --exclude zerodb_hooks --exclude zerodb_hooks_schema --exclude zerodb_hooks_tests --exclude zerodb_hooks_bench || failed=1; \
	echo "==> running the end-to-end tests"; \
	RUST_TEST_THREADS=$$(($$(nproc) + 2)) $(RUN) cargo test --no-fail-fast -p zerodb_hooks_tests || failed=1; \
	exit $$failed

chaos: setup dev-chaos ## the long form of the chaos tests (about 10 minutes)
	for server in $(EVERY); do dev/install_extension.sh $$server --if-present; done
	$(RUN) cargo build --quiet -p zerodb_hooks_worker --bins
	ZERODB_CHAOS=10 $(RUN) cargo test -p zerodb_hooks_tests --test chaos

fuzz: setup ## the long form of the fuzzer of the database's door (about 10 minutes)
	for server in $(EVERY); do dev/install_extension.sh $$server --if-present; done
	$(RUN) cargo build --quiet -p zerodb_hooks_worker --bins
	ZERODB_FUZZ=$${ZERODB_FUZZ:-20000} $(RUN) cargo test -p zerodb_hooks_tests --test security fuzz -- --nocapture

pgtest: setup
	for server in $(EVERY); do dev/pgtest.sh $$server; done

check: setup
	dev/check.sh

bench: dev-server dev-pgrx-home ## run the benchmarks beside other queues (about 50 minutes)
	dev/install_extension.sh $(MAIN) --release
	echo "==> building the worker and the benchmarks for release (about 20 minutes the first time)"
	$(RUN) cargo build --quiet --release -p zerodb_hooks_worker --bins
	$(RUN) cargo build --quiet --release -p zerodb_hooks_harness --bin model_endpoint
	# One case holds a thousand connections open, more than the usual limit of 1,024 files leaves room for.
	ulimit -Sn 4096 2>/dev/null || true; $(RUN) cargo run --quiet --release -p zerodb_hooks_bench -- $(foreach name,$(ONLY),--only $(name))

docs: ## build the documents as a site in target/docs
	dev/docs.sh

install: dev-tools dev-pgrx-home ## install into your own server and PREFIX/bin (needs PG_CONFIG)
	test -n "$(PG_CONFIG)" || { echo "error: name the server: make install PG_CONFIG=/path/to/pg_config" >&2; exit 1; }
	dev/install_extension.sh own --release
	echo "==> building the worker for release (about 10 minutes the first time)"
	$(RUN) cargo build --quiet --release -p zerodb_hooks_worker --bins
	install -D -m 755 "$${CARGO_TARGET_DIR:-target}/release/zerodb-hooks" "$(DESTDIR)$(PREFIX)/bin/zerodb-hooks"

package: dev-server dev-tools ## collect a release build as target/package/zerodb_hooks-….tar.gz
	dev/package.sh

setup: dev-server dev-postgres15 dev-tools ## fetch what building and testing need: PostgreSQL 18 and 15, cargo-pgrx

fmt: ## format the Rust code
	cargo fmt --all

lint: check ## check format, Clippy, shell scripts, licences and advisories
	dev/debian.sh lint
	dev/lint.sh

clean: ## remove everything that the targets above made in this checkout
	dev/clean.sh

dev-pgspot:
	dev/pgspot.sh

# pgbouncer and faketime, for the chaos tests.
dev-chaos:
	dev/chaos_tools.sh

# Prometheus and Alertmanager, for the tests of the alerts and the dashboard.
dev-monitoring:
	dev/monitoring.sh

# The official OpenAI client, to which the tests' model endpoint must look like the hosted API.
dev-model-clients:
	dev/openai_client.sh

# The official libraries by which receivers read webhooks.
dev-webhook-libraries:
	dev/webhook_libraries.sh

# The official messages of OTLP, for the tests' collector.
dev-otlp-sink:
	dev/otlp_sink.sh

# all-MiniLM-L6-v2, for the tests of models that are read in process.
dev-models:
	dev/models.sh

dev-packages:
	dev/debian.sh build

dev-server: dev-packages
	$(if $(PG_CONFIG),true,dev/postgres18.sh)

dev-postgres15: dev-packages
	$(if $(PG_CONFIG),true,dev/postgres15.sh)

# After the servers, because it writes down where they are.
dev-pgrx-home: dev-packages dev-server
	dev/pgrx_home.sh

dev-tools: dev-pgrx-home
	dev/pgrx.sh
