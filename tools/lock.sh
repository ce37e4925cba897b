#!/bin/sh
# Write the lock files anew, each with hashes and without the address of any index. Usage: tools/lock.sh [uv]
set -eu
cd "$(dirname "$0")/.."
uv=${1:-uv}

compile() {
    "$uv" pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
        --no-emit-index-url --no-annotate --custom-compile-command "make lock" "$@"
}

compile --extra dev --output-file requirements.lock pyproject.toml
compile --constraint requirements.lock --output-file tools/bootstrap.lock tools/bootstrap.in
compile --output-file reports/node.lock reports/node.in
cd reports && npm update --package-lock-only --ignore-scripts --no-audit --no-fund
