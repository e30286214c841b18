#!/bin/sh
# Installs what pip cannot: the venv module, Pango (PDF documents) and a text font.
# Root and those with password-less sudo get it by apt-get; others are told, in one line.
set -eu
PYTHON=${1:-python3}

missing() { # missing LIBRARY...: whether one of them cannot be loaded
    ! "$PYTHON" -c 'import ctypes, sys; [ctypes.CDLL(name) for name in sys.argv[1:]]' "$@" 2>/dev/null
}

needed=""
if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    needed="$needed python$version-venv"
fi
if missing libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0; then
    needed="$needed libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
fi
if ! find /usr/share/fonts /usr/local/share/fonts -iname 'inter*' 2>/dev/null | grep -q .; then
    fonts="fonts-inter fonts-dejavu-core"
else
    fonts=""
fi
[ -n "$needed$fonts" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    sudo="none"
fi
if [ "$sudo" != none ] && command -v apt-get >/dev/null; then
    echo "Installing system packages:$needed $fonts"
    export DEBIAN_FRONTEND=noninteractive
    install="$sudo apt-get install -y -q --no-install-recommends"
    # A machine that never ran apt-get has no package lists yet.
    # shellcheck disable=SC2086
    $install $needed $fonts || { $sudo apt-get update -q && $install $needed $fonts; } ||
        [ -z "$needed" ] # a font is no reason to fail
elif [ -n "$needed" ]; then
    echo "Please install, then run make again:$needed (Debian's names; elsewhere: Pango >= 1.44 and Python's venv)" >&2
    exit 1
else
    echo "Documents look best with the font Inter; install: $fonts"
fi
