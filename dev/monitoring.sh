#!/usr/bin/env bash
# Unpacks Debian's Prometheus and Alertmanager into DEV_HOME/monitoring, for the tests of packaging/monitoring.
# It must not install the packages (they would start services) and changes nothing of the system.
# Where they cannot be had it says so and succeeds: the tests that need them then say so too.
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

tree="$DEV_HOME/monitoring"
[[ -e $tree/.complete ]] && exit 0

skip() { say "leaving out Prometheus and Alertmanager: $*"; exit 0; }
command -v apt-get >/dev/null || skip "they are taken from Debian's packages, and this is not Debian"

# Both are single programs of Go, which need nothing beside them.
packages=(prometheus prometheus-alertmanager)
known() { apt-cache show "${packages[@]}" >/dev/null 2>&1; }
if ! known && is_root; then apt-get update -qq || true; fi
known || skip "the package lists do not have them (apt-get update may help)"

say "fetching Prometheus and Alertmanager (60 MB)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
download_packages "$work" "${packages[@]}" || skip "their packages cannot be downloaded"

rm -rf "$tree"
mkdir -p "$tree/unpacked"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$tree/unpacked"; done
for program in prometheus promtool prometheus-alertmanager amtool; do
    mv "$tree/unpacked/usr/bin/$program" "$tree/" || skip "the packages have no $program"
done
# Debian's Alertmanager reads its templates from /usr/share, so whoever starts it shows it this folder in that place.
mkdir -p "$tree/share/prometheus"
mv "$tree/unpacked/usr/share/prometheus/alertmanager" "$tree/share/prometheus/" || skip "the packages have no templates"
rm -rf "$tree/unpacked"
chmod -R u=rwX,go=rX "$tree"
touch "$tree/.complete"
