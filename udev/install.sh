#!/bin/sh
# Install ChefMate's udev rules: permissions and names of the servo adapters and the cameras.
#
#   sudo udev/install.sh                     permissions only; names that are installed stay
#   sudo udev/install.sh --names FILE        and the names that udev/identify.py wrote into FILE
#   udev/install.sh --dry-run [...]          say what would be done, and do nothing
#   sudo udev/install.sh --uninstall         remove both files
#   --root DIR                               install under DIR, without touching this system's udev
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dry_run=no
uninstall=no
names=''
root=''

fail() {
  printf 'udev/install.sh: %s\n' "$1" >&2
  exit 1
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    --dry-run) dry_run=yes ;;
    --uninstall) uninstall=yes ;;
    --names)
      [ "$#" -ge 2 ] || fail '--names needs the file that udev/identify.py wrote'
      names=$2
      shift
      ;;
    --root)
      [ "$#" -ge 2 ] || fail '--root needs a folder'
      root=$2
      shift
      ;;
    -h | --help)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) fail "unknown argument $1; allowed: --dry-run --names FILE --uninstall --root DIR --help" ;;
  esac
  shift
done

rules_dir=$root/etc/udev/rules.d

act() {
  if [ "$dry_run" = yes ]; then
    printf 'would run: %s\n' "$*"
  else
    "$@"
  fi
}

[ "$dry_run" = yes ] || [ -n "$root" ] || [ "$(id -u)" -eq 0 ] ||
  fail 'this changes /etc/udev: run it with sudo, or look first with --dry-run'

if [ -n "$names" ]; then
  [ -r "$names" ] || fail "cannot read $names; make it with: python3 udev/identify.py --ask $names"
  grep -q 'SYMLINK+="' "$names" || fail "$names names no device; make it with udev/identify.py"
fi

if [ "$uninstall" = yes ]; then
  act rm -f "$rules_dir/99-chefmate.rules" "$rules_dir/99-chefmate-names.rules"
else
  act mkdir -p "$rules_dir"
  act install -m 0644 "$here/99-chefmate.rules" "$rules_dir/99-chefmate.rules"
  if [ -n "$names" ]; then
    act install -m 0644 "$names" "$rules_dir/99-chefmate-names.rules"
  elif [ ! -e "$rules_dir/99-chefmate-names.rules" ]; then
    printf '%s\n' 'No names are installed yet: python3 udev/identify.py --ask names.rules'
  fi
fi

# Another root is an image or a test: its udev does not run.
[ -z "$root" ] || exit 0

if command -v udevadm > /dev/null 2>&1; then
  act udevadm control --reload-rules
  act udevadm trigger --subsystem-match=tty --subsystem-match=video4linux --subsystem-match=usb-serial
elif [ "$dry_run" = no ]; then
  printf '%s\n' 'udevadm is not here: plug the devices in again, or restart, for the rules to hold.'
fi

# Only this user's rights to the groups are checked; granting them is a decision of its own.
user=${SUDO_USER:-$(id -un)}
for group in dialout video; do
  if [ "$user" != root ] && ! id -nG "$user" | tr ' ' '\n' | grep -qx "$group"; then
    printf '%s is not in the group %s: sudo usermod -aG %s %s, then log in again\n' \
      "$user" "$group" "$group" "$user"
  fi
done
