#!/bin/sh
# Installs Chromium for the browser tests where it is missing and may be; says what to do elsewhere.
# Without it those tests are skipped, and every other one still runs.
set -eu
[ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    sudo="none"
fi
if [ "$sudo" != none ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    install="$sudo apt-get install -y -q --no-install-recommends chromium"
    # A machine that never ran apt-get has no package lists yet.
    $install || { $sudo apt-get update -q && $install; } ||
        echo "Chromium could not be installed; the browser tests will be skipped" >&2
else
    echo "To run the browser tests too, install chromium, or name a browser in CHROMIUM" >&2
fi
