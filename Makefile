# Every target explains itself: type `make`.
BIN := .venv/bin

help:  ## Say what can be made here
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do \
	    printf '%-20s %s\n' "$$name" "$$what"; done

run:  ## Start everything on http://127.0.0.1:8000 (PORT=8001 make run: elsewhere); Ctrl-C stops it
	@sh scripts/bootstrap.sh run
	@$(BIN)/leads up

test:  ## Run the whole suite: lint, types, layers, tests in a real browser, coverage, advisories
	@sh scripts/bootstrap.sh test
	@bash scripts/test.sh

lint:  ## Look at style, types and import layers only
	@sh scripts/bootstrap.sh test
	@bash scripts/test.sh lint

format:  ## Put every file into shape and mend what ruff can mend
	@sh scripts/bootstrap.sh test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench:  ## Measure lists at 10,000 leads and a million, verifying, what the trail costs a writer, an import and a bulk of 100,000 leads, enrichment, and the console in a browser
	@sh scripts/bootstrap.sh test
	@$(BIN)/python -m tests.performance.bench_lists
	@$(BIN)/python -m tests.performance.bench_audit_verify
	@$(BIN)/python -m pytest tests/performance/bench_audit_writes.py tests/performance/bench_import.py -s
	@$(BIN)/python -m pytest tests/performance/bench_audit_log.py tests/performance/bench_enrichment.py -s
	@$(BIN)/python -m tests.performance.bench_bulk
	@$(BIN)/python -m tests.performance.bench_console

screenshots:  ## Take the pictures of the README from the running product
	@sh scripts/bootstrap.sh test
	@$(BIN)/python e2e/screenshots.py

lock:  ## Write requirements.txt and requirements-dev.txt anew from pyproject.toml (needs uv)
	uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --generate-hashes --no-annotate \
	    --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --generate-hashes --no-annotate \
	    --no-header pyproject.toml --group dev -o requirements-dev.txt

.PHONY: help run test lint format bench screenshots lock
