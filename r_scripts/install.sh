#!/bin/sh
# Installs R and the R packages that psychoseg's R engine, these scripts and the tests need, from Debian.
#
# Takes nothing, or --help. Writes only what apt-get installs (about 250 MB). Where all is there already it says so
# and touches nothing. Exit status: 0 done, 2 it cannot be done here (one sentence says why), else apt-get's own.
set -eu

# survey, psychtools are for the tests alone; rmarkdown and pandoc for persona_report.R --report.
packages="r-base-core r-cran-psych r-cran-gparotation r-cran-cluster r-cran-factoextra r-cran-fastcluster
r-cran-dendextend r-cran-ggplot2 r-cran-rcpptoml r-cran-jsonlite r-cran-haven r-cran-lavaan
r-cran-knitr r-cran-rmarkdown pandoc r-cran-survey r-cran-psychtools"

usage() {
  cat <<'END'
Usage: sh r_scripts/install.sh

Installs R and its packages with apt-get, as root or through sudo.
END
}

fail() {
  echo "error: $1" >&2
  exit 2
}

case "${1-}" in
  -h | --help) usage; exit 0 ;;
  "") ;;
  *) fail "unknown argument $1: see --help." ;;
esac

command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get here: install R and these packages as your system does: $(echo $packages)."

missing=""
for package in $packages; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=""
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "R and its packages are installed already."
  exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || fail "installing takes root and there is no sudo: run as root: apt-get install --no-install-recommends$missing"
  as_root="sudo"
fi

# env, since sudo does not pass the caller's variables on.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # one word a package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
