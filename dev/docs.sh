#!/usr/bin/env bash
# Builds the documents as one site in target/docs: the pages that docs/SUMMARY.md lists, wherever they lie, in the same places below
# one folder, so that links between them hold on GitHub and here. The site needs no network, and neither does building it once
# mdbook and its diagrams are built into DEV_HOME. It must not change a page.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"

# The second draws the diagrams, and brings the script for it.
MDBOOK_VERSION=0.5.4
MERMAID_VERSION=0.17.1

build() {
    say "building $1 $2 (about 3 minutes, once)"
    CARGO_PROFILE_DEV_DEBUG=0 cargo install "$1" --version "=$2" --locked --debug --quiet --force --root "$DEV_HOME/cargo" "${@:3}"
}
[[ $(mdbook --version 2>/dev/null) == "mdbook v$MDBOOK_VERSION" ]] ||
    build mdbook "$MDBOOK_VERSION" --no-default-features --features search
[[ $(mdbook-mermaid --version 2>/dev/null) == "mdbook-mermaid $MERMAID_VERSION" ]] || build mdbook-mermaid "$MERMAID_VERSION"

target="${CARGO_TARGET_DIR:-target}"
work="$target/docs-work"
rm -rf "$work" "$target/docs"
mkdir -p "$work/src"
cp docs/book.toml "$work/"
# SUMMARY.md lies in docs/ and its links begin there; on the site it lies at the top.
sed -E 's|\]\(([^)]+)\)|](docs/\1)|; s|\]\(docs/\.\./|](|' docs/SUMMARY.md >"$work/src/SUMMARY.md"
while read -r page; do
    install -D -m 644 "$page" "$work/src/$page"
done < <(sed -nE 's|.*\]\(([^)]+)\).*|\1|p' "$work/src/SUMMARY.md")
mdbook-mermaid install "$work"
mdbook build "$work"
mv "$work/site" "$target/docs"
rm -rf "$work"
say "$target/docs/index.html"
