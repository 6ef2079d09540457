#!/usr/bin/env bash
# Collects a release build for one PostgreSQL (PG_CONFIG, or ours) as target/package/zerodb_hooks-….tar.gz:
#   lib/ and share/extension/ go to `pg_config --pkglibdir` and `--sharedir`, bin/ and systemd/ to where they belong.
# It must not install anything on this machine.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"

major="$(pg_major "$MAIN_PG_CONFIG")"
target="${CARGO_TARGET_DIR:-target}"
version="$(cargo metadata --format-version 1 --no-deps | python3 -c \
    'import json, sys; print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "zerodb_hooks"))')"
name="zerodb_hooks-$version-pg$major-linux-$(uname -m)"
out="$target/package"

say "building the extension and the worker for release (about 12 minutes the first time)"
rm -rf "${out:?}/raw" "${out:?}/$name"
mkdir -p "$out/$name"/{lib,share/extension,bin,systemd}
CARGO_TERM_QUIET=true cargo pgrx package -p zerodb_hooks --pg-config "$MAIN_PG_CONFIG" --no-default-features --features "pg$major" --out-dir "$out/raw"
cargo build --quiet --release -p zerodb_hooks_worker --bins

# cargo pgrx lays the files out under the absolute paths of the server that it built for.
find "$out/raw" -name 'zerodb_hooks.so' -exec cp -t "$out/$name/lib" {} +
find "$out/raw" -path '*/extension/zerodb_hooks*' -type f -exec cp -t "$out/$name/share/extension" {} +
cp "$target/release/zerodb-hooks" "$out/$name/bin/"
cp packaging/zerodb-hooks.service packaging/worker.env.example "$out/$name/systemd/"
cp LICENSE "$out/$name/"
tar -C "$out" --owner=0 --group=0 -czf "$out/$name.tar.gz" "$name"
rm -rf "${out:?}/raw"
say "$out/$name.tar.gz"
