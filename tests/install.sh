# shellcheck shell=bash
# Installation of programs that the tests need; to be sourced. Debian and Ubuntu only.

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# apt_install PACKAGE...: without recommended packages. Groups of tests run side by side, and apt-get runs once at a time.
apt_install() {
    command -v apt-get >/dev/null || die "please install: $*"
    say "installing $*"
    (
        flock 9
        # A machine that was never updated knows no packages: so try, update, and try again.
        apt_get install "$@" >/dev/null 2>&1 || { apt_get update >/dev/null 2>&1; apt_get install "$@"; }
    ) 9>"${TMPDIR:-/tmp}/ctu-apt-$(id -u).lock"
}

apt_get() {
    local command=$1
    shift
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$command" -y -qq --no-install-recommends "$@"
}
