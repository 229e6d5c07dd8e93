# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What quickstart and check share: packages, building, saying what happens.
# The caller sets `me` (its name) and `source_dir`.
: "${me:?}" "${source_dir:?}"

die ()
{
  echo "$me: $*" >&2
  exit 1
}

say ()
{
  echo "== $*"
}

# seconds with two decimals since the microseconds in $1
since ()
{
  local now=${EPOCHREALTIME/[.,]/}
  printf '%d.%02d s' $(((now - $1) / 1000000)) $(((now - $1) / 10000 % 100))
}

# now, in microseconds
now ()
{
  echo "${EPOCHREALTIME/[.,]/}"
}

# run_logged LOG COMMAND...: what it prints is shown only when it fails
run_logged ()
{
  local log=$1 status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ $status -ne 0 ]; then
    echo "$me: failed with status $status: $*; the end of $log:" >&2
    tail -n 40 "$log" >&2
  fi
  return $status
}

# ---- packages -------------------------------------------------------------------

# The number of this release of Debian; 12 when it is older, or is not known to be newer
debian_release ()
{
  local id=
  # shellcheck disable=SC1091,SC2154
  id=$(. /etc/os-release && echo "${VERSION_ID:-99}") 2>/dev/null || id=12
  id=${id%%.*}
  [ "$id" -gt 12 ] 2>/dev/null || id=12
  echo "$id"
}

# packages_of SECTION...: lines of packages.txt that are for this release
packages_of ()
{
  local release section since
  release=$(debian_release)
  for section in "$@"; do
    sed -n "/^\[$section\]\$/,/^\[/{/^[a-z]/p}" "$source_dir/tools/packages.txt"
    for ((since = 13; since <= release; since++)); do
      sed -n "/^\[$section $since\]\$/,/^\[/{/^[a-z]/p}" "$source_dir/tools/packages.txt"
    done
  done | sort -u
}

package_installed ()
{
  # shellcheck disable=SC2016
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# package_known NAME: apt can install it; of a name that others only provide it shows nothing
package_known ()
{
  [ -n "$(apt-cache show "$1" 2>/dev/null)" ]
}

# missing_packages SECTION...: one name for each line of which nothing is installed
missing_packages ()
{
  local line name
  packages_of "$@" | while read -r line; do
    for name in ${line//|/ }; do
      ! package_installed "$name" || continue 2
      # apt is slow to ask: only where it decides
      [ "$name" = "$line" ] || ! package_known "$name" || break
    done
    echo "$name"
  done
}

# ensure_packages SECTION...: installs what is missing and says which
ensure_packages ()
{
  local -a missing install=(env DEBIAN_FRONTEND=noninteractive
                            apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0)
  local log=$1
  shift
  command -v apt-get >/dev/null || die "apt-get: not found; this needs Debian 12 or 13, or one made from them"
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  mkdir -p "$(dirname "$log")"
  "${install[@]}" "${missing[@]}" >"$log" 2>&1 </dev/null && return 0
  # the lists may be missing, or older than the archive, and what it calls things with them
  run_logged "$log" apt-get update -q || true
  mapfile -t missing < <(missing_packages "$@")
  run_logged "$log" "${install[@]}" "${missing[@]}" || die "packages could not be installed"
}

# ---- building ---------------------------------------------------------------------

# build DIR [CONFIGURE-ARGUMENT...]: configures when that was not done with these
# arguments, or not at all if there are none; then make, of $build_target or of all
build ()
{
  local dir=$1
  shift
  mkdir -p "$dir"
  if [ ! -x "$source_dir/configure" ]; then
    run_logged "$dir/autogen.log" "$source_dir/autogen.sh" || die "autogen.sh failed"
  fi
  if [ ! -f "$dir/Makefile" ] || { [ $# -gt 0 ] && [ "$(cat "$dir/configure.arguments" 2>/dev/null)" != "$*" ]; }; then
    (cd "$dir" && run_logged configure.log "$source_dir/configure" "$@") || die "configure failed"
    echo "$*" >"$dir/configure.arguments"
  fi
  run_logged "$dir/make.log" make -C "$dir" -j"$(nproc)" "${build_target:-all}" || die "make failed"
}

build_guest_image ()
{
  run_logged "$1/guest-image.log" make --no-print-directory -C "$1" guest-image || die "the guest image could not be built"
  sed -n '/^guest image/,$p' "$1/guest-image.log"
}

# find_program DIR NAME: a program of the build, wherever its fragment puts it
find_program ()
{
  local folder
  for folder in . daemon clients/virtpod; do
    if [ -f "$1/$folder/$2" ] && [ -x "$1/$folder/$2" ]; then
      readlink -f "$1/$folder/$2"
      return
    fi
  done
  die "$2: not in $1"
}
