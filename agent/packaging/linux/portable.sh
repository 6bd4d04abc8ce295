#!/bin/sh
# The tools by which a portable runtime is built:   sh portable.sh FOLDER   (as root, in the checkout)
#
# FOLDER/plain is a small Debian 11 without any Python, on which the result is tried. FOLDER/tree is one with compilers,
# OpenSSL 3 in /opt/ssl and CPython 3.11 in /opt/py, both from Debian 12's sources, and the agent's pinned libraries with
# PyInstaller from the lock. What runs there needs nothing newer than glibc 2.31. Each part is made once; what is there
# whole has a stamp. Nothing is left mounted, whatever happens: mounts are in a namespace of their own.
set -eu
unset CDPATH
[ "$(id -u)" = 0 ] || { echo "portable.sh needs root, to make and enter a Debian 11: sudo make runtime-linux-portable" >&2; exit 1; }
ROOT=$(pwd -P)
mkdir -p "$1"
FOLDER=$(cd -- "$1" && pwd -P)
TREE=$FOLDER/tree
SOURCES=$FOLDER/sources
PYTHON=$ROOT/.venv/bin/python
WITH=build-essential,perl,zlib1g-dev,libffi-dev,libbz2-dev,liblzma-dev,binutils

say() { echo "portable: $*"; }

# The mirror that this machine takes its own packages from, and the one of its security updates.
uris() { sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources; }
MIRROR=$(uris | grep -v security | head -n 1)
SECURITY=$(uris | grep security | head -n 1)
[ -n "$MIRROR" ] || { echo "portable.sh found no mirror in /etc/apt/sources.list.d/*.sources" >&2; exit 1; }

# $1: its name; the rest: what else debootstrap is told.
debian() {
  name=$1; shift
  [ ! -f "$FOLDER/$name.made" ] || return 0
  say "a Debian 11: $name"
  rm -rf --one-file-system "${FOLDER:?}/$name"
  debootstrap --variant=minbase "$@" bullseye "$FOLDER/$name" "$MIRROR" >"$FOLDER/$name.log" 2>&1 ||
    { tail -n 5 "$FOLDER/$name.log" >&2; exit 1; }
  touch "$FOLDER/$name.made"
}

inside() { unshare -m sh -ec 'mount -t proc proc "$0/proc"; exec chroot "$0" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C sh -ec "$1"' "$TREE" "$1"; }

sources() {
  [ ! -f "$FOLDER/sources.made" ] || return 0
  say "the sources of CPython and OpenSSL, as Debian 12 has them"
  rm -rf "$SOURCES"; mkdir -p "$SOURCES/lists/partial" "$SOURCES/cache/archives/partial"
  signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
  {
    echo "deb-src $signed $MIRROR bookworm main"
    [ -z "$SECURITY" ] || echo "deb-src $signed $SECURITY bookworm-security main"
  } >"$SOURCES/sources.list"
  set -- -qq -o "Dir::Etc::sourcelist=$SOURCES/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::State::lists=$SOURCES/lists" -o "Dir::Cache=$SOURCES/cache" -o APT::Sandbox::User=root
  cd "$SOURCES"
  # A mirror may list a security update that it does not hold: then what the last point release has is taken.
  if ! { apt-get "$@" update && apt-get "$@" source --download-only python3.11 openssl; } >apt.log 2>&1; then
    say "no newer sources from the mirror of security updates"
    echo "deb-src $signed $MIRROR bookworm main" >sources.list
    rm -f ./*.dsc ./*.tar.*
    apt-get "$@" update
    apt-get "$@" source --download-only python3.11 openssl
  fi
  cd "$ROOT"
  touch "$FOLDER/sources.made"
}

# $1: the package; unpacks its upstream source as /build/$1, with the patches by which Debian closes its holes. One that
# rests on another change of Debian's does not fit, and is named. So is one of pyexpat, which does not compile without
# such a change: the agent reads no XML.
unpacked() {
  here=$TREE/build/$1
  rm -rf "$here"; mkdir -p "$here/debian-patches"
  tar -x -C "$here" --strip-components=1 -f "$(ls "$SOURCES/$1"_*.orig.tar.*z)"
  tar -x -C "$here/debian-patches" --strip-components=2 -f "$(ls "$SOURCES/$1"_*.debian.tar.*)" debian/patches
  grep -E '^CVE-' "$here/debian-patches/series" >"$here/wanted" || :
  while read -r patch; do
    fix=$here/debian-patches/$patch
    if ! grep -q '^+++ .*pyexpat' "$fix" && patch -d "$here" -p1 -s -f --dry-run <"$fix" >/dev/null 2>&1; then
      patch -d "$here" -p1 -s --no-backup-if-mismatch <"$fix"
    else
      say "$1 goes without $patch"
    fi
  done <"$here/wanted"
}

openssl() {
  [ ! -f "$FOLDER/openssl.made" ] || return 0
  unpacked openssl
  say "compiles OpenSSL"
  inside 'cd /build/openssl
    ./Configure linux-x86_64 --prefix=/opt/ssl --openssldir=/etc/ssl --libdir=lib no-tests shared >/build/openssl.log 2>&1
    make -j2 >>/build/openssl.log 2>&1; make install_sw >>/build/openssl.log 2>&1' ||
    { tail -n 20 "$TREE/build/openssl.log" >&2; exit 1; }
  rm -rf "$TREE/build/openssl"
  touch "$FOLDER/openssl.made"
}

cpython() {
  [ ! -f "$FOLDER/cpython.made" ] || return 0
  unpacked python3.11
  say "compiles CPython"
  inside 'cd /build/python3.11
    ./configure --prefix=/opt/py --enable-shared --disable-test-modules --with-ensurepip=no --with-openssl=/opt/ssl \
      --with-openssl-rpath=auto LDFLAGS=-Wl,-rpath,/opt/py/lib >/build/python.log 2>&1
    make -j2 >>/build/python.log 2>&1; make install >>/build/python.log 2>&1
    /opt/py/bin/python3.11 -c "import bz2, ctypes, lzma, pyexpat, ssl, zlib; assert ssl.OPENSSL_VERSION_INFO >= (3,)"' ||
    { tail -n 20 "$TREE/build/python.log" >&2; exit 1; }
  rm -rf "$TREE/build/python3.11"
  rm -f "$FOLDER/libraries.made"
  touch "$FOLDER/cpython.made"
}

# The lines of the developers' lock that are about PyInstaller and what it needs: each name with its hashes.
builder_lock() {
  awk '/^[a-z]/ { take = ($1 ~ /^(pyinstaller|pyinstaller-hooks-contrib|altgraph|packaging|setuptools)==/) } take && !/^ *#/' requirements/dev.txt
}

libraries() {
  lock=$( (cat requirements/agent.txt; builder_lock) | sha256sum | cut -d ' ' -f 1)
  [ "$(cat "$FOLDER/libraries.made" 2>/dev/null)" != "$lock" ] || return 0
  say "the agent's libraries, by the lock"
  site=$TREE/opt/py/lib/python3.11/site-packages
  rm -rf "$site"; mkdir -p "$site"
  builder_lock >"$FOLDER/builder.txt"
  for list in requirements/agent.txt "$FOLDER/builder.txt"; do
    "$PYTHON" -m pip install --quiet --no-input --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
      --implementation cp --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 \
      --platform any --upgrade --target "$site" -r "$list"
  done
  echo "$lock" >"$FOLDER/libraries.made"
}

# Another script makes other tools.
script=$(sha256sum <"$ROOT/agent/packaging/linux/portable.sh")
if [ "$(cat "$FOLDER/script.made" 2>/dev/null)" != "$script" ]; then
  rm -f "$FOLDER"/*.made
  echo "$script" >"$FOLDER/script.made"
fi
debian plain
debian tree "--include=$WITH"
sources
openssl
cpython
libraries
