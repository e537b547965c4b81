//! Measures the stack by painting it: what was written to is what was used.

const PAINT: u32 = 0xC7C7_C7C7;

/// Never painted: what the painter itself may need meanwhile.
const MARGIN: usize = 32;

unsafe extern "C" {
    /// Where the stack ends at the latest: after all statics.
    #[link_name = "__sheap"]
    static mut END: u32;
    /// Where it begins, growing downwards.
    #[link_name = "_stack_start"]
    static mut START: u32;
}

fn end() -> *mut u32 {
    &raw mut END
}

/// Where the stack is now.
#[inline(always)]
fn here() -> usize {
    let here: usize;
    // Reads a register, and nothing else.
    unsafe {
        #[cfg(target_arch = "arm")]
        core::arch::asm!("mov {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        core::arch::asm!("mv {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
    }
    here
}

/// How much of RAM the stack may take, in bytes.
pub fn room() -> usize {
    &raw mut START as usize - end() as usize
}

/// Paints the stack that is free.
#[inline(always)]
pub fn paint() {
    let top = here() - MARGIN;
    let mut at = lowest();
    while (at as usize) < top {
        // Free RAM between the statics and the stack that is in use; nobody else knows of it.
        unsafe { at.write_volatile(PAINT) };
        at = at.wrapping_add(1);
    }
}

/// Where painting begins. No more than 64 KiB are looked at: on boards with megabytes that is enough, and quick.
fn lowest() -> *mut u32 {
    let most = (&raw mut START).wrapping_byte_sub(0x1_0000);
    if most > end() { most } else { end() }
}

/// The bytes of stack in use at the worst moment since it was painted, from its beginning.
#[inline(never)]
pub fn high_water() -> usize {
    let top = here();
    let mut at = lowest();
    // As in `paint`.
    while (at as usize) < top && unsafe { at.read_volatile() } == PAINT {
        at = at.wrapping_add(1);
    }
    &raw mut START as usize - at as usize
}

/// The stack that `op` takes, in bytes. No less than 32 can be told.
#[inline(never)]
pub fn of(mut op: impl FnMut()) -> usize {
    paint();
    let before = &raw mut START as usize - here();
    op();
    high_water().saturating_sub(before)
}
