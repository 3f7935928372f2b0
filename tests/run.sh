#!/usr/bin/env bash
# All tests, or some groups of them: `tests/run.sh [--fast] [GROUP ..]`.
#   rust          the tool's own tests
#   compile       fixtures against the real crates
#   oracle        the types of receivers in fixtures, as the compiler finds them; only when it is named
#   engines       fixtures against real engines and browsers
#   integrations  the tool beside its real counterparts: hooks, validators, editors, browsers, installers
#   shipped       the program as it is shipped: its size, and its packages; only when it is named
# `--fast` leaves out engines, browsers and editors. Times are those of two cores with nothing built.
set -euo pipefail
cd "$(dirname "$0")/.."

about() { # group
    case $1 in
        rust)
            echo "Needs: cargo, git. Installs: nothing. Network: crates.io, once."
            echo "Disk: 2 GB in target/debug. Takes: 5 minutes to build, then 2; \`cargo test --workspace\` alone, with less of what is made from numbers, half a minute."
            ;;
        compile)
            echo "Needs: cargo, a C compiler, cmake. Installs: nothing. Network: crates.io, once."
            echo "Disk: 4 GB in target/real. Takes: 10 minutes, 1 when it was built before."
            ;;
        oracle)
            echo "Needs: cargo, a C compiler, libpq, libsqlite3, python3 (3.11). Installs: nothing. Network: crates.io, once."
            echo "Disk: 1 GB in target/real. Takes: 5 minutes, half a minute when it was built before."
            ;;
        engines)
            echo "Needs: cargo, a C compiler, PostgreSQL, libpq, Redis, Chromium with chromedriver."
            echo "Installs: those that are missing, with apt-get, where it may. Network: crates.io, Debian's packages."
            echo "Disk: 4 GB in target/real, 1 GB of packages. Takes: 10 minutes, 2 when it was built before."
            ;;
        integrations)
            if [ -n "$fast" ]; then
                echo "Needs: cargo, git, python3 with venv, npm. Installs: Python's and npm's packages below target/integrations."
            else
                echo "Needs: cargo, git, python3 with venv, npm, Neovim, Vim with ALE, Chromium, rust-analyzer."
                echo "Installs: those that are missing, with apt-get and rustup; Python's and npm's packages below target/integrations."
            fi
            echo "Network: crates.io, PyPI, npm, Debian's packages, repositories of hooks on GitHub."
            echo "Disk: 2 GB in target/integrations, 1 GB of packages. Takes: 6 minutes, half of them to build, without what makes a release build slow."
            ;;
        shipped)
            echo "Needs: cargo, git, python3 with venv, npm. Installs: Python's and npm's packages below target/integrations."
            echo "Network: crates.io, PyPI, npm. Disk: 1 GB in target/release. Takes: 11 minutes, 9 of them a release build."
            ;;
    esac
}

run() { # group
    case $1 in
        # More of what is made from numbers than in the inner loop.
        rust) PROGRAMS=${PROGRAMS:-10000} MANGLED=${MANGLED:-300} REWRITTEN=${REWRITTEN:-150} cargo test --workspace ;;
        compile) tests/real/check.sh ;;
        oracle) tests/oracle/run.py ;;
        engines) tests/real/run.sh ;;
        integrations)
            if [ -n "$fast" ]; then
                SESSIONLINT_FAST=1 tests/integrations/run.sh test_ci.py test_hooks.py test_packages.py test_repository.py test_sarif.py
            else
                tests/integrations/run.sh
            fi
            ;;
        shipped) RELEASE=1 SESSIONLINT_FAST=1 tests/integrations/run.sh test_packages.py ;;
    esac
}

fast=
groups=()
for word in "$@"; do
    case $word in
        --fast) fast=1 ;;
        rust | compile | oracle | engines | integrations | shipped) groups+=("$word") ;;
        *) echo "tests/run.sh [--fast] [rust] [compile] [oracle] [engines] [integrations] [shipped]" >&2; exit 2 ;;
    esac
done
if [ ${#groups[@]} -eq 0 ]; then
    groups=(rust compile integrations)
    [ -n "$fast" ] || groups=(rust compile engines integrations)
fi
for group in "${groups[@]}"; do
    echo "=== $group"
    about "$group"
    run "$group"
done
