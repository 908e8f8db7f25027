#!/bin/sh
# Installs what the tests need (R and its packages from Debian, Chromium, LibreOffice, the Python packages into .venv) and
# runs all of them. Takes: arguments for pytest. Writes: .venv.
set -eu
cd "$(dirname "$0")/.."

sh r_scripts/install.sh
for package in python3-venv chromium poppler-utils libreoffice-calc libreoffice-impress; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="${missing:-} $package"
done
if [ -n "${missing:-}" ]; then
  root=''
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root apt-get update -qq
  # shellcheck disable=SC2086  # a list of packages, one word each
  DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
# ABI: rpy2 then needs neither a compiler nor R's headers.
RPY2_CFFI_MODE=ABI .venv/bin/python -m pip install -q -e '.[r,test]'
exec .venv/bin/python -m pytest -n auto "$@"
