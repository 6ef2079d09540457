#!/usr/bin/env bash
# Removes what builds and `make setup` made: the target folder and our own folders in DEV_HOME.
# It must not stop a program, nor remove anything that something else put beside them.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
cd "$CHECKOUT"

cargo clean
rm -rf "${DEV_HOME:?}"/{pg18,pg15,cargo,pgrx,rivals,chaos,monitoring,pgspot,models,openai_client,litellm,webhook_libraries}
if [[ -d $DEV_HOME ]]; then rmdir --ignore-fail-on-non-empty "$DEV_HOME"; fi
