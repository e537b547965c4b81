# shellcheck shell=bash
# What building for microcontrollers and booting in QEMU needs; to be sourced. Installs what is missing on Debian and
# Ubuntu, and says so.

# shellcheck source=tests/install.sh
. "$(dirname "${BASH_SOURCE[0]}")/../install.sh"

need_qemu() {
    command -v size >/dev/null || apt_install binutils
    command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm
    command -v qemu-system-riscv32 >/dev/null || apt_install qemu-system-misc
}

need_defmt_print() {
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    command -v defmt-print >/dev/null && return
    say "installing defmt-print with cargo (a minute or two)"
    cargo install --locked --quiet defmt-print
}

# The compiler for a target: cargo's arguments in `cargo_args`, its environment in `cargo_env`.
#
# With rustup, the target is added to the toolchain in use. Where that cannot be (no rustup, no network), Debian's
# compiler builds the core library from its source, which takes a little longer and comes to the same thing.
# CTU_BUILD_STD=1 asks for the latter.
use_target() {
    local target=$1
    cargo_args=(--target "$target")
    cargo_env=()
    if [ -z "${CTU_BUILD_STD:-}" ]; then
        if command -v rustup >/dev/null; then
            if rustup target list --installed 2>/dev/null | grep -qx "$target" ||
                timeout 300 rustup target add "$target" >/dev/null 2>&1; then
                return
            fi
            echo "rustup cannot add $target here; falling back on Debian's compiler"
        elif [ -e "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
            return
        else
            echo "there is no rustup here; falling back on Debian's compiler"
        fi
    else
        echo "using Debian's compiler, as CTU_BUILD_STD asks"
    fi
    local rustc=/usr/bin/rustc
    if ! [ -x $rustc ] || ! [ -e "$($rustc --print sysroot)/lib/rustlib/src/rust/library/core" ]; then
        apt_install rustc-web rust-web-src || apt_install rustc rust-src
    fi
    local linker
    linker=$(find "$(rustc --print sysroot)/lib/rustlib" -path '*/bin/rust-lld' -print -quit 2>/dev/null || true)
    if [ -z "$linker" ]; then
        command -v ld.lld >/dev/null || apt_install lld
        linker=ld.lld
    fi
    local name=${target//-/_}
    # A feature that is not stable yet, of a compiler that is: hence the bootstrap.
    cargo_env=(RUSTC="$rustc" RUSTC_BOOTSTRAP=1 "CARGO_TARGET_${name^^}_LINKER=$linker")
    cargo_args+=(-Zbuild-std=core,compiler_builtins -Zbuild-std-features=compiler-builtins-mem)
}

# firmware COMMAND ARGUMENT...: cargo for the target in use.
firmware() {
    local command=$1
    shift
    env "${cargo_env[@]}" DEFMT_LOG="${DEFMT_LOG:-info}" cargo "$command" --quiet "${cargo_args[@]}" "$@"
}

# The compiler for the target in use, for people to read.
compiler() { env "${cargo_env[@]}" bash -c '"${RUSTC:-rustc}" --version'; }

# boot MACHINE ELF LOG SECONDS [QEMU ARGUMENT...]: boots firmware, and decodes its log into LOG. Returns what the firmware
# ended with, 124 where it did not end, 125 where its log cannot be decoded.
boot() {
    local machine=$1 elf=$2 log=$3 seconds=$4 status=0
    shift 4
    local qemu=(qemu-system-arm)
    [ "$machine" = virt ] && qemu=(qemu-system-riscv32 -bios none)
    timeout "$seconds" "${qemu[@]}" -machine "$machine" "$@" -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$elf" >"$log.raw" 2>"$log.err" </dev/null || status=$?
    defmt-print -e "$elf" --log-format '{L} {s}' <"$log.raw" >"$log" 2>>"$log.err" || [ "$status" = 124 ] || return 125
    return "$status"
}
