#!/usr/bin/env bash
# Builds or installs one rival of the benchmark into DEV_HOME/rivals, from its published package and a lock file, and
# prints the command that starts it, one word a line:
#   dev/rivals.sh graphile_worker|graphile-worker|pgmq
# It must not build a rival from anything but a published package, nor touch the workspace's own target folder.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

rival="${1:?name a rival}"
recipe="$CHECKOUT/bench/rivals/$rival"
home="$DEV_HOME/rivals"

# The runner is a cargo package of its own, with its own lock file.
with_cargo() {
    cargo build --quiet --release --locked --manifest-path "$recipe/Cargo.toml" --target-dir "$home/target" >&2
    printf '%s\n' "$home/target/release/${rival}_runner"
}

# The lock file also names a Node that the package supports, so that the machine's own needs only to run npm.
with_npm() {
    local folder="$home/$rival" node
    command -v npm >/dev/null || die "npm is not installed"
    mkdir -p "$folder"
    if ! cmp --silent "$recipe/package-lock.json" "$folder/installed.json"; then
        cp "$recipe/package.json" "$recipe/package-lock.json" "$folder"
        npm ci --silent --no-audit --no-fund --prefix "$folder" >&2
        cp "$recipe/package-lock.json" "$folder/installed.json"
    fi
    cp "$recipe/runner.mjs" "$folder"
    node="$(find "$folder"/node_modules/node-linux-*/bin -name node -print -quit 2>/dev/null)"
    [[ -n $node ]] || die "there is no Node for $(uname -sm)"
    printf '%s\n' "$node" "$folder/runner.mjs"
}

if [[ -f $recipe/Cargo.toml ]]; then
    with_cargo
elif [[ -f $recipe/package.json ]]; then
    with_npm
else
    die "no rival is called $rival"
fi
