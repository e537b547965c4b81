//! The table of boards as build scripts read it. A target stands for a board.

use std::{env, fs, path::Path};

/// A row of `boards.txt`.
pub struct Board {
    flash_kib: u32,
    ram_kib: u32,
    /// Ticks of the timer in a second.
    #[allow(dead_code)] // Not every firmware has a timer.
    pub timer_hz: u32,
}

/// The board of `target`.
pub fn board(target: &str) -> Board {
    for line in include_str!("boards.txt").lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        if let [_, _, name, numbers @ ..] = cells.as_slice()
            && *name == target
        {
            let number = |at: usize| numbers[at].parse().expect("a number in boards.txt");
            return Board {
                flash_kib: number(0),
                ram_kib: number(1),
                timer_hz: number(2),
            };
        }
    }
    panic!("add a row for your board with target {target:?} to ctu-embedded-example/boards.txt");
}

/// Writes `memory.x` for `target`, and has the linker read it and the script of the run-time crate.
pub fn tell_linker(target: &str) {
    let memory = match board(target) {
        Board {
            flash_kib: 0,
            ram_kib,
            ..
        } => riscv(ram_kib),
        Board {
            flash_kib, ram_kib, ..
        } => cortex_m(flash_kib, ram_kib),
    };
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("memory.x"), memory).expect("OUT_DIR can be written to");
    println!("cargo:rustc-link-search={out}");
    if target.starts_with("riscv32") {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    } else {
        // Sections start where they are told, not at a page.
        println!("cargo:rustc-link-arg=--nmagic");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
}

fn cortex_m(flash_kib: u32, ram_kib: u32) -> String {
    format!(
        "MEMORY {{
  FLASH : ORIGIN = 0x00000000, LENGTH = {flash_kib}K
  RAM : ORIGIN = 0x20000000, LENGTH = {ram_kib}K
}}
"
    )
}

fn riscv(ram_kib: u32) -> String {
    let regions = ["TEXT", "RODATA", "DATA", "BSS", "HEAP", "STACK"];
    let aliases = regions.map(|name| format!("REGION_ALIAS(\"REGION_{name}\", RAM);\n"));
    format!(
        "MEMORY {{ RAM : ORIGIN = 0x80000000, LENGTH = {ram_kib}K }}\n{}",
        aliases.concat()
    )
}
