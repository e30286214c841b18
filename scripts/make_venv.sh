#!/bin/sh
# Makes .venv with exactly the locked packages: make_venv.sh PYTHON REQUIREMENTS
set -eu
PYTHON=$1 REQUIREMENTS=$2

if ! command -v "$PYTHON" >/dev/null; then
    echo "Tollgate needs Python 3.11 or later, but there is no $PYTHON; name one: make PYTHON=python3.12" >&2
    exit 1
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Tollgate needs Python 3.11 or later, but $PYTHON is $("$PYTHON" --version 2>&1); name another: make PYTHON=python3.12" >&2
    exit 1
fi
sh scripts/system_packages.sh "$PYTHON"

# A virtual environment whose Python was upgraded or removed since is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Creating .venv with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear .venv
fi
echo "Installing the locked packages of $REQUIREMENTS"
.venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$REQUIREMENTS"
# So that programs of .venv/bin find the project's packages from any directory.
pwd > "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tollgate.pth"
