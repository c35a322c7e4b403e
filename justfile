# Index of the scripts: `just` lists them. Each recipe is one script, which also runs without just.

_default:
    @just --list --unsorted

# Run the shop with a demo catalogue, in ./data
demo:
    cargo run --release -- serve --demo

# Run the whole check: format, lints, dependencies, docs, all tests
test:
    scripts/test

# Check licences, sources and banned crates, or other checks of cargo-deny (`just deny advisories`)
deny *CHECKS:
    scripts/deny {{CHECKS}}

# Build with the minimum supported Rust version
msrv:
    scripts/msrv

# Test the API from its OpenAPI document with schemathesis and a generated client
api *ARGS:
    scripts/api {{ARGS}}

# Install chromium, chromedriver and axe-core for the browser tests
browser-tools:
    scripts/browser-tools

# Make the pictures of the admin interface in docs/screenshots
screenshots:
    scripts/screenshots

# Send requests mutated from a seed to the real binary, on both databases
hostile *ARGS:
    scripts/hostile {{ARGS}}

# Play the deterministic simulation of the shop over the memory store
simulate *ARGS:
    scripts/simulate {{ARGS}}

# Fuzz the request parsers with libFuzzer (`just fuzz check` compiles only)
fuzz *ARGS:
    scripts/fuzz {{ARGS}}

# Kill, pause and cut off servers and PostgreSQL under load
faults *ARGS:
    scripts/faults {{ARGS}}

# Run the tests beside other load, several times
busy *ARGS:
    scripts/busy {{ARGS}}

# Measure the cost of a flood of sign-ins or searches to customers who order
flood *ARGS:
    scripts/flood {{ARGS}}

# Benchmark the server against the limits of its databases
bench *ARGS:
    scripts/bench {{ARGS}}

# Measure an import of products beside orders
import-products *ARGS:
    scripts/import-products {{ARGS}}
