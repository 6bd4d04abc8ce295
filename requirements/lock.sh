#!/bin/sh
# Writes requirements/*.txt anew from pyproject.toml: exact versions and the hashes of all files of each release, so that
# another machine installs the same bytes or nothing. `make lock` calls it; `make lock UPGRADE=1` takes newer versions of
# what pyproject.toml does not pin itself.
#
# The product and the tools for building it go through one resolution (dev.txt); each process's own lock is a part of it,
# so that what runs in an image is what was tested. No address of an index is written: where packages come from is the
# business of the machine that installs.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
export CUSTOM_COMPILE_COMMAND="make lock"

# lock NAME ARGUMENT...: keyturn itself is no package of an index. The extras name one another through it, and pip-compile's
# note about it at the end of the file would be taken for a fault of the lock.
lock() {
  name=$1; shift
  echo "lock: requirements/$name.txt"
  .venv/bin/pip-compile -q --strip-extras --generate-hashes --no-allow-unsafe --unsafe-package keyturn --no-emit-options \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links ${UPGRADE:+--upgrade} \
    -o "requirements/$name.txt" "$@" 2>build/lock.log || { cat build/lock.log >&2; exit 1; }
  sed -i '/^# WARNING: The following packages were not pinned/,$d' "requirements/$name.txt"
  sed -i -e :trim -e '/^\n*$/{$d;N;b trim' -e '}' "requirements/$name.txt"
}

lock dev --all-build-deps --extra dev pyproject.toml
for process in gateway scheduler bundler agent cli admin; do
  lock "$process" --all-build-deps --extra "$process" -c requirements/dev.txt pyproject.toml
done
lock store requirements/store.in
