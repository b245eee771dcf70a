# The commands that one repeats. `just` lists them; https://just.systems

[private]
default:
    @just --list

# Build the program as it is released
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

# Measure
bench:
    cargo bench

# Run the commands that the README shows, those with Docker left out
readme:
    tools/run-readme --except 'With only Docker'

# Start the stack and wait until it is healthy
up *args:
    docker compose up --wait {{ args }}

# Stop the stack and keep what was measured
down:
    docker compose down

# Follow what the stack says
logs *services:
    docker compose logs --follow {{ services }}
