# Frequent commands. `just` lists them; https://just.systems

[private]
default:
    @just --list

# Build the release binary
build:
    cargo build --release

# Run the tests
test *args:
    cargo test {{ args }}

# Check formatting, lints and dependencies
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- --deny warnings
    cargo deny check

# Run the benchmarks
bench:
    cargo bench

# Run the README's commands, except those with Docker
readme:
    tools/run-readme --except 'With only Docker'

# Start the stack and wait until it is healthy
up *args:
    docker compose up --wait {{ args }}

# Stop the stack and keep its data
down:
    docker compose down

# Follow the stack's logs
logs *services:
    docker compose logs --follow {{ services }}
