# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A virtpodd with its bus and libvirt in one directory, started and ended as one.
# Needs common.sh, `build_dir`, and `build_dir_programs`, where virtpod and virtpodd
# are. The directory holds, besides what runs in it, one file
# NAME.process for each program: its pid and its start time, since pids are reused.
: "${me:?}" "${source_dir:?}" "${build_dir:?}" "${build_dir_programs=}"

session=

# start time of a process in clock ticks since boot; empty when it is gone
start_time ()
{
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) }
  cut -d' ' -f20 <<<"$stat"
}

# session_spawn NAME COMMAND...
session_spawn ()
{
  local name=$1 pid
  shift
  setsid "$@" >"$session/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$session/$name.process"
}

# session_alive NAME: prints its pid when it runs
session_alive ()
{
  local pid started
  read -r pid started 2>/dev/null <"$session/$1.process" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ] || return 1
  echo "$pid"
}

# session_end NAME: TERM, then KILL after 15 s
session_end ()
{
  local pid i
  for ((i = 0; i < 300; i++)); do
    pid=$(session_alive "$1") || break
    [ $i -ne 0 ] || kill "$pid" 2>/dev/null || true
    [ $i -ne 299 ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.05
  done
  rm -f "$session/$1.process"
}

# session_wait NAME WHAT COMMAND...: until the command succeeds while NAME runs
session_wait ()
{
  local name=$1 what=$2 i
  shift 2
  for ((i = 0; i < 1800; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    if ! session_alive "$name" >/dev/null; then
      tail -n 20 "$session/$name.log" >&2
      die "$what ended"
    fi
    sleep 0.05
  done
  die "$what: not ready within 90 s"
}

session_virtpod ()
{
  "$build_dir_programs/virtpod" --address "$(cat "$session/address")" "$@"
}

session_start_bus ()
{
  cat >"$session/bus.conf" <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path=$session/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="root"/> <allow own="*"/> <allow send_type="method_call"/> <allow send_type="signal"/>
    <allow send_requested_reply="true"/> <allow receive_type="*"/> <allow send_destination="*"/>
  </policy>
</busconfig>
EOF
  echo "unix:path=$session/bus" >"$session/address"
  session_spawn bus dbus-daemon --nofork --config-file="$session/bus.conf"
  session_wait bus dbus-daemon test -S "$session/bus"
}

# Prints the libvirt URI to use, starting what it needs: the system's libvirtd when
# one answers, else one of our own ($1 = libvirtd) or the driver inside virtpodd.
session_start_libvirt ()
{
  if timeout 10 virsh -q -c qemu:///system version >/dev/null 2>&1; then
    echo qemu:///system
    return
  fi
  mkdir -p "$session/libvirt/etc"
  if [ "$1" = libvirtd ]; then
    load_capabilities "$session/libvirt/cache/qemu"
    # where the root file system is not a shared mount, as without systemd, what
    # virtpodd mounts would not reach the namespace that libvirtd is in
    mount --bind "$session" "$session"
    mount --make-shared "$session"
    local uri="qemu+unix:///system?socket=$session/libvirt/sock/libvirt-sock"
    session_spawn libvirtd "$source_dir/tools/lib/private-libvirtd" "$session/libvirt"
    session_wait libvirtd libvirtd virsh -q -c "$uri" version
    echo "$uri"
  else
    cp "$source_dir/tools/lib/qemu.conf" "$session/libvirt/etc/"
    load_capabilities "$session/libvirt/cache/qemu"
    echo "qemu:///embed?root=$session/libvirt"
  fi
}

# libvirt takes seconds to find out what the emulators can do: kept between runs
load_capabilities ()
{
  echo "$1" >"$session/capabilities"
  if [ -d "$build_dir/quickstart-cache" ]; then
    mkdir -p "$1"
    cp -a "$build_dir/quickstart-cache/." "$1/"
  fi
}

save_capabilities ()
{
  local from
  from=$(cat "$session/capabilities" 2>/dev/null) || return 0
  if [ -d "$from/capabilities" ]; then
    mkdir -p "$build_dir/quickstart-cache"
    cp -a "$from/capabilities" "$build_dir/quickstart-cache/" 2>/dev/null || true
  fi
}

session_start_daemon ()
{
  local guest=$build_dir/guest/image
  # the system's libvirtd runs QEMU as a user of its own, who may not be able to
  # look into the build directory, and gives him the files meanwhile
  if [ "$(cat "$session/uri")" = qemu:///system ]; then
    install -D -m 0644 -t "$session/guest" "$guest/vmlinux" "$guest/initrd.img"
    guest=$session/guest
  fi
  session_spawn virtpodd "$build_dir_programs/virtpodd" --address "$(cat "$session/address")" \
    --state-dir "$session/state" --uri "$(cat "$session/uri")" \
    --set "guest.kernel=$guest/vmlinux" --set "guest.initrd=$guest/initrd.img" \
    --set daemon.on-stop=delete
  session_wait virtpodd virtpodd session_virtpod list
}

# session_start FLAVOUR: bus, libvirt, virtpodd
session_start ()
{
  session=$(mktemp -d /run/virtpod-quickstart.XXXXXX)
  chmod 0755 "$session"
  echo "$build_dir" >"$session/build-dir"
  session_start_bus
  session_start_libvirt "$1" >"$session/uri"
  session_start_daemon
}

# names of this session's domains as far as its libvirt lets others see them
session_domains ()
{
  local uri
  uri=$(cat "$session/uri" 2>/dev/null) || return 0
  case $uri in
    qemu:///embed*) find "$session/libvirt/run/qemu" -name '*.xml' 2>/dev/null || true ;;
    *) timeout 20 virsh -q -c "$uri" list --all --name 2>/dev/null | while read -r name; do
         [ -z "$name" ] || ! virsh -q -c "$uri" dumpxml "$name" 2>/dev/null | grep -qF "$session/" || echo "$name"
       done ;;
  esac
}

# the same, when libvirt has had time to clean up: a delete does not wait for that
session_domains_left ()
{
  local i
  for i in {1..50}; do
    [ -n "$(session_domains)" ] || return 0
    sleep 0.1
  done
  session_domains
}

session_mounts ()
{
  awk -v dir="$session/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo
}

# processes that have the directory in their command line, ourselves excepted
session_processes ()
{
  local file pid
  for file in /proc/[0-9]*/cmdline; do
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    if tr '\0' ' ' 2>/dev/null <"$file" | grep -qF "$session/"; then
      echo "$pid"
    fi
  done 2>/dev/null
}

# Ends everything and removes the directory. Fails, and names what it was, when
# something had to be removed by force.
session_stop ()
{
  local id pid mount left=''
  [ -d "$session" ] || return 0
  if session_alive virtpodd >/dev/null; then
    # twice: a sandbox's own container goes only when no other is left
    for id in $(session_virtpod list --quiet 2>/dev/null) $(session_virtpod list --quiet --sandboxes 2>/dev/null); do
      session_virtpod delete --force "$id" >/dev/null 2>&1 || true
    done
  fi
  left+=$(session_domains_left | sed 's/^/ domain /')
  session_end virtpodd
  save_capabilities
  session_end libvirtd
  session_end bus
  for pid in $(session_processes); do
    left+=" process $pid ($(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | cut -c1-80))"
    kill -KILL "$pid" 2>/dev/null || true
  done
  for mount in $(session_mounts | sort -r); do
    left+=" mount $mount"
    umount -l "$mount" 2>/dev/null || true
  done
  if mountpoint -q "$session"; then
    umount -l "$session"
  fi
  rm -rf --one-file-system "$session"
  if [ -n "$left" ]; then
    echo "$me: left behind and removed:$left" >&2
    return 1
  fi
}
