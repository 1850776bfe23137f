#!/bin/bash
# The steps of `make test`, or with `lint` the first four. Each says its name and its time; the first that fails ends
# the run with its status, and the last lines say how far it came.
set -uo pipefail
cd "$(dirname "$0")/.."

# The suite brings its own settings; only the database may be chosen from outside.
unset HOST PORT PUBLIC_URL ENABLE_LEAD_EXPLORER RATE_LIMIT TRUSTED_PROXIES DATA_DIR SECRET_KEY AUDIT_MAC_KEYS
unset AUDIT_SIGNING_KEY AUDIT_PUBLIC_KEYS AUDIT_LOG_NAME AUDIT_CHECKPOINT_FILE
# Whatever the tools and the browser keep stays inside the project's folder.
export XDG_CACHE_HOME="$PWD/.leads/test/cache" XDG_CONFIG_HOME="$PWD/.leads/test/config"
export PATH="$PWD/.venv/bin:$PATH" PYTHONDONTWRITEBYTECODE=

# One process more than the two cores of the smallest machine: a test often waits for a server or a browser.
processes=3

began=$SECONDS
summary=()

finish() {
    printf '\n--- in all %s s ---\n' "$((SECONDS - began))"
    printf '%s\n' "${summary[@]}"
    exit "$1"
}

step() {
    local name=$1 start=$SECONDS status
    shift
    printf '\n=== %s ===\n' "$name"
    "$@"
    status=$?
    if [ "$status" -eq 0 ]; then
        summary+=("passed  $name  $((SECONDS - start)) s")
    else
        summary+=("FAILED  $name  $((SECONDS - start)) s")
        finish "$status"
    fi
}

# What runs in the tests' own processes is measured. What they start, and the browser's server, is not: a traced
# process takes twice as long.
tests() {
    rm -rf .leads/test/coverage
    mkdir -p .leads/test/coverage
    COVERAGE_PROCESS_START="$PWD/pyproject.toml" COVERAGE_FILE="$PWD/.leads/test/coverage/data" pytest tests -n "$processes"
}

covered() {
    local data="$PWD/.leads/test/coverage/data"
    COVERAGE_FILE="$data" coverage combine -q && COVERAGE_FILE="$data" coverage report
}

step 'style (ruff check)' ruff check .
step 'format (ruff format)' ruff format --check .
step 'types (mypy --strict)' mypy
step 'layers (lint-imports)' lint-imports
[ "${1:-}" = lint ] && finish 0
step 'unit and integration tests' tests
step 'end-to-end tests in a browser' pytest e2e -n "$processes"
step 'coverage with branches, at least 90 %' covered
step 'known vulnerabilities (pip-audit)' python scripts/audit_dependencies.py
finish 0
