#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The guest image: same inputs give the same bytes, and it is small.
set -u
export LC_ALL=C

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-.}
build_image=$top_srcdir/guest/image/build-image
built=$top_builddir/guest/image
agent=$top_builddir/virtpod-agent
limit=$((12 << 20))

if [ ! -f "$built/manifest" ]; then
  echo "1..0 # SKIP the guest image is not built (make guest-image)"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# test_that TITLE COMMAND...
test_that ()
{
  local title=$1
  shift
  number=$((number + 1))
  if "$@" >"$work/out" 2>&1; then
    echo "ok $number - $title"
  else
    echo "not ok $number - $title"
    sed 's/^/# /' "$work/out"
  fi
}

make_again ()
{
  local deb
  deb=$(find "$built" -maxdepth 1 -name 'linux-image-*.deb' | head -n 1)
  # another place, another time, another umask
  mkdir -p "$work/elsewhere/tmp"
  sleep 1
  (umask 077 && TMPDIR=$work/elsewhere/tmp TZ=Asia/Tokyo \
     "$build_image" --agent "$agent" --kernel-deb "$deb" --output "$work/again")
}

same_bytes ()
{
  cmp "$built/vmlinux" "$work/again/vmlinux" && cmp "$built/initrd.img" "$work/again/initrd.img" &&
    diff "$built/manifest" "$work/again/manifest" || return 1
  [ ! -d "$built/tools" ] || diff -r "$built/tools" "$work/again/tools"
}

up_to_date ()
{
  "$build_image" --agent "$agent" --output "$built" | grep 'up to date'
}

other_agent ()
{
  local before
  before=$(sha256sum <"$work/again/initrd.img")
  cp /bin/true "$work/agent"
  "$build_image" --agent "$work/agent" --kernel-deb "$built"/linux-image-*.deb --output "$work/again" &&
    [ "$before" != "$(sha256sum <"$work/again/initrd.img")" ]
}

unpack ()
{
  mkdir "$work/tree" && (cd "$work/tree" && cpio --quiet -idm --no-absolute-filenames) <"$built/initrd.img"
}

small ()
{
  local size
  size=$(stat -c %s "$built/initrd.img")
  echo "$size bytes"
  [ "$size" -le $limit ]
}

# in_order FILE...: each is there and behind those it depends on, or loaded before
in_order ()
{
  local file name need
  for file; do
    name=$(basename "$file" .ko)
    [ -f "$work/tree$file" ] || { echo "$file: not in the image"; return 1; }
    for need in $(objcopy -O binary -j .modinfo "$work/tree$file" /dev/stdout | tr '\0' '\n' |
                    sed -n 's/^depends=//p' | tr ',-' ' _'); do
      [ -z "${loaded[$need]:-}" ] && [ -f "$work/tree/lib/modules/$need.ko" ] &&
        { echo "$name: before $need"; return 1; }
    done
    loaded[$name]=1
  done
}

# at boot, and then any one that is asked for
modules_in_order ()
{
  local name files
  declare -A loaded=() demand=()
  mapfile -t files <"$work/tree/etc/modules.boot"
  in_order "${files[@]}" || return 1
  [ -n "${loaded[virtio_pci]:-}" ] || { echo "virtio_pci: not at boot"; return 1; }
  [ -n "${loaded[virtiofs]:-}" ] || { echo "virtiofs: not at boot"; return 1; }
  while read -r name files; do
    # shellcheck disable=SC2086
    (in_order $files && [ -n "${loaded[$name]:-}" ]) || { echo "$name: cannot be loaded"; return 1; }
    demand[$name]=1
  done <"$work/tree/etc/modules.demand"
  [ -n "${demand[virtio_net]:-}" ] && [ -n "${demand[virtio_blk]:-}" ]
}

static_init ()
{
  [ -x "$work/tree/init" ] && ! objdump -p "$work/tree/init" | grep NEEDED
}

crun_runs ()
{
  chroot "$work/tree" /lib64/ld-linux-x86-64.so.2 --list /usr/bin/crun && ! chroot "$work/tree" \
    /lib64/ld-linux-x86-64.so.2 --list /usr/bin/crun | grep 'not found'
}

# iptables starts from nothing but them, the modules are those that are loaded, and no guest
# has the tables when it boots
tools_whole ()
{
  local tools=$built/tools file
  [ -d "$tools" ] || { echo "no iptables is installed: none"; return 0; }
  [ -z "$(find "$tools" -type l)" ] || { echo "symbolic links: the share shows none"; return 1; }
  cp -R "$tools" "$work/tools" &&
    chroot "$work/tools" /ld.so --library-path /lib /xtables-multi iptables --version &&
    chroot "$work/tools" /ld.so --library-path /lib --list /xtables/libxt_conntrack.so || return 1
  while read -r file; do
    [ -f "$tools/modules/$file" ] || { echo "$file: not there"; return 1; }
  done <"$tools/modules.load"
  [ ! -e "$work/tree/lib/modules/x_tables.ko" ] || { echo "x_tables.ko: in the image"; return 1; }
  sort "$tools/modules.load" | diff - <(cd "$tools/modules" && find . -type f | sed 's,^./,,' | sort)
}

bad_agent ()
{
  ! "$build_image" --agent "$work/no-such-agent" --output "$work/bad" && [ ! -e "$work/bad/manifest" ]
}

echo 1..11
test_that "builds again" make_again
test_that "the same bytes" same_bytes
test_that "not built again without need" up_to_date
test_that "built again when the agent changes" other_agent
test_that "the archive unpacks" unpack
test_that "at most $((limit >> 20)) MiB" small
test_that "modules come after what they need" modules_in_order
test_that "the agent is static" static_init
test_that "crun has all its libraries" crun_runs
test_that "the tools are whole" tools_whole
test_that "an agent that is not there is an error" bad_agent
