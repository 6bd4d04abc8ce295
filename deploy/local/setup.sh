#!/bin/sh
# What a fresh Debian 12 lacks to work on Keyturn, brought into this clone; `make setup` and the other targets call it.
#
#   setup.sh python     .venv, from the lock in requirements/, with every file's hash checked
#   setup.sh parts      the embedded store (.venv-store, from a lock too) and the broker (build/rabbitmq)
#   setup.sh runtime    Debian packages that the packed agent is built with and unpacked by
#   setup.sh portable   Debian packages that the portable agent is built with
#   setup.sh tests      Debian packages that some tests run: a clock that lies, a checker of the compose file
#   setup.sh lab        Debian packages that the lab boots real hosts with
#
# It does nothing that is done already: the virtual environment keeps the hash of what it was made from, and Debian's
# packages are asked for by name. Two calls at the same time in one clone wait for each other.
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd -P)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# Debian's own Python first: the packed agent is built with it, and tests shall run on what is shipped.
find_python() {
  for candidate in "${PYTHON:-}" /usr/bin/python3.11 python3.11 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$candidate"; return; fi
  done
  fail "Keyturn needs Python 3.11 or newer and found none; on Debian 12 install it with: apt-get install python3"
}

# How to act as root: not at all, by being it, or by sudo that asks for no password.
find_root() {
  if [ "$(id -u)" = 0 ]; then as_root=env; elif sudo -n true 2>/dev/null; then as_root="sudo -n env"; else as_root=; fi
}

missing_of() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
  done
}

# debian WHO_NEEDS PACKAGE...: true when all are there at the end; else one sentence names the others, and how to get them.
debian() {
  who_needs=$1; shift
  if ! command -v dpkg-query >/dev/null; then
    say "this is not Debian; $who_needs what Debian calls: $*" >&2
    return 1
  fi
  missing=$(missing_of "$@"); missing=${missing% }
  [ -n "$missing" ] || return 0
  find_root
  if [ -z "$as_root" ]; then
    say "$who_needs Debian packages that only root can install: sudo apt-get install --no-install-recommends $missing" >&2
    return 1
  fi
  say "$who_needs Debian packages; installing $missing"
  mkdir -p build
  # The packages lists of a fresh machine are empty, and an old list names files that are gone: update, then install.
  # shellcheck disable=SC2086  # both are lists of words
  if ! { $as_root apt-get -qq update && $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing; } >build/apt.log 2>&1; then
    tail -n 5 build/apt.log >&2
    say "apt-get could not install $missing; its whole output is in build/apt.log" >&2
    return 1
  fi
}

# Made anew when the clone was moved or copied (its scripts would hold foreign paths); brought up to date
# when the lock changed.
python_environment() {
  mkdir -p build
  exec 9>build/setup.lock
  flock 9
  lock=requirements/dev.txt
  made_from="$root $(cat "$lock" pyproject.toml | sha256sum | cut -d ' ' -f 1)"
  found=$(cat .venv/made-from 2>/dev/null || true)
  if [ "$found" != "$made_from" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    "$python" -c 'import ensurepip' 2>/dev/null || debian "a virtual environment needs" python3-venv || exit 1
    case $found in "" | "$root "*) ;; *) rm -rf .venv ;; esac
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
      say "bringing .venv up to $lock"
    else
      say "making .venv from $lock with $python; once, a minute or two"
      rm -rf .venv
      "$python" -m venv .venv
    fi
    rm -f .venv/made-from
    # What pip and setuptools warn of here is no news to whoever calls this; when one of them fails, all is shown.
    if ! { .venv/bin/python -m pip install -q --require-hashes -r "$lock" &&
      .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .; } >build/pip.log 2>&1; then
      cat build/pip.log >&2
      fail "pip could not install $lock; its reason stands above, and the next make setup goes on from here"
    fi
    echo "$made_from" >.venv/made-from
  fi
  flock -u 9
  exec 9>&-
}

# The broker is downloaded as Debian's packages and unpacked, never installed: that needs no root, but a list of packages.
parts() {
  if [ ! -d build/rabbitmq ] && ! apt-cache show rabbitmq-server >/dev/null 2>&1; then
    find_root
    [ -n "$as_root" ] || fail "the broker needs Debian's list of packages, which only root can fetch: sudo apt-get update"
    say "fetching Debian's list of packages"
    $as_root apt-get -qq update || fail "apt-get update failed; its reason stands above"
  fi
  .venv/bin/python -c '
import pathlib, sys
from deploy.local.errors import LocalError
from deploy.local.store_environment import ensure_store
from deploy.local.unpack import ensure_rabbitmq
try:
    ensure_store(pathlib.Path.cwd()), ensure_rabbitmq(pathlib.Path.cwd())
except LocalError as error:
    sys.exit(f"setup: {error}")
'
}

case ${1:-} in
  python) python_environment ;;
  parts) parts ;;
  runtime) debian "the packed agent needs" binutils libpython3.11 unzip ;;
  portable) debian "the portable agent needs" debootstrap patch xz-utils ;;
  tests) debian "some tests need" faketime docker-compose chromium ;;
  lab) debian "the lab of real hosts needs" systemd iproute2 nftables e2fsprogs procps ;;
  *) fail "usage: setup.sh python | parts | runtime | portable | tests | lab" ;;
esac
