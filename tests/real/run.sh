#!/usr/bin/env bash
# Runs fixtures against real engines: `tests/real/run.sh [GROUP ..]`. Needs PostgreSQL, Redis, Chromium with chromedriver and
# libpq, which it installs where it may (Debian). Engines run on sockets and ports of their own and end with the script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(stores files rusqlite sea-orm postgres redis browsers)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/real}
export CARGO_PROFILE_DEV_DEBUG=0
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null; rm -rf "$work" /etc/chromium.d/sessionlint-tests' EXIT

needs() { # command package..
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    echo "installing $*" >&2
    apt-get install -y "$@" >"$work/apt" 2>&1 || (apt-get update >"$work/apt" 2>&1 && apt-get install -y "$@" >"$work/apt" 2>&1) ||
        { tail -5 "$work/apt" >&2; exit 1; }
}

wait_for() { # what command..
    local what=$1
    shift
    for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
    echo "$what did not start" >&2
    exit 1
}

start_postgres() {
    command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || needs pg_ctl postgresql
    ldconfig -p | grep -q 'libpq\.so ' || needs pg_config-missing libpq-dev
    local bin
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl)")
    local as=()
    if [ "$(id -u)" = 0 ]; then
        id sessionlint-pg >/dev/null 2>&1 || useradd --system --no-create-home sessionlint-pg
        as=(setpriv --reuid sessionlint-pg --regid sessionlint-pg --clear-groups)
        chmod 755 "$work"
        install -d -o sessionlint-pg "$work/pg"
    else
        mkdir "$work/pg"
    fi
    "${as[@]}" "$bin/initdb" -D "$work/pg/data" -U postgres -A trust >"$work/initdb" 2>&1 || { cat "$work/initdb" >&2; exit 1; }
    "${as[@]}" "$bin/postgres" -D "$work/pg/data" -p 54329 -k "$work/pg" -c listen_addresses=127.0.0.1 -c fsync=off >"$work/postgres.log" 2>&1 &
    pids+=($!)
    wait_for PostgreSQL bash -c 'exec 3<>/dev/tcp/127.0.0.1/54329'
    export PG_URL=postgres://postgres@127.0.0.1:54329/postgres
    sleep 1
}

start_redis() {
    needs redis-server redis-server
    redis-server --port 63799 --save '' --dir "$work" >"$work/redis.log" 2>&1 &
    pids+=($!)
    wait_for Redis bash -c 'exec 3<>/dev/tcp/127.0.0.1/63799'
    export REDIS_URL=redis://127.0.0.1:63799
}

start_browser() {
    needs chromedriver chromium chromium-driver
    # Chromium does not start as root, or without a display, unless it is told to; Debian's reads this directory.
    if [ -w /etc/chromium.d ]; then
        echo 'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --headless --no-sandbox --disable-gpu --disable-quic --disable-background-networking"' \
            >/etc/chromium.d/sessionlint-tests
    fi
    chromedriver --port=9519 >"$work/chromedriver.log" 2>&1 &
    pids+=($!)
    wait_for chromedriver bash -c 'exec 3<>/dev/tcp/127.0.0.1/9519'
    export WEBDRIVER_URL=http://127.0.0.1:9519
}

for group in "${groups[@]}"; do
    case $group in
        postgres) start_postgres ;;
        redis) start_redis ;;
        browsers) start_browser ;;
    esac
    echo "== $group"
    cargo test --quiet --manifest-path "$here/$group/Cargo.toml" -- --test-threads 1
done
