#!/bin/sh
# Makes a virtual environment with the extra leandojo from nothing, and runs the tests of LeanDojo there.
#
#   tests/check_leandojo.sh [DIR]     DIR (.venv-leandojo) takes 2.5 GB, and is used again until pyproject.toml changes
set -eu
cd "$(dirname -- "$0")/.."
folder=${1:-.venv-leandojo}
if [ ! -e "$folder/.installed" ] || [ pyproject.toml -nt "$folder/.installed" ]; then
    "${PYTHON:-python3}" -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --editable '.[test,leandojo]'
    "$folder/bin/pip" check --disable-pip-version-check
    touch "$folder/.installed"
fi
exec "$folder/bin/pytest" tests/test_leandojo.py tests/test_leandojo_light.py
