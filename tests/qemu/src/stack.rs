//! Measures the stack by painting it: overwritten bytes are used bytes.

const PAINT: u32 = 0xC7C7_C7C7;

/// Not painted: stack that the painter itself needs.
const MARGIN: usize = 32;

unsafe extern "C" {
    /// The lower end of the stack: after all statics.
    #[link_name = "__sheap"]
    static mut END: u32;
    /// The upper end of the stack, which grows downwards.
    #[link_name = "_stack_start"]
    static mut START: u32;
}

fn end() -> *mut u32 {
    &raw mut END
}

/// The current stack pointer.
#[inline(always)]
fn here() -> usize {
    let here: usize;
    // Reads a register only.
    unsafe {
        #[cfg(target_arch = "arm")]
        core::arch::asm!("mov {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        core::arch::asm!("mv {0}, sp", out(reg) here, options(nomem, nostack, preserves_flags));
    }
    here
}

/// The used stack, in bytes.
#[inline(always)]
pub fn depth() -> usize {
    &raw mut START as usize - here()
}

/// The size of the RAM for the stack, in bytes.
pub fn room() -> usize {
    &raw mut START as usize - end() as usize
}

/// Paints the free stack.
#[inline(always)]
pub fn paint() {
    let top = here() - MARGIN;
    let mut at = lowest();
    while (at as usize) < top {
        // Free RAM between the statics and the used stack; no other code uses it.
        unsafe { at.write_volatile(PAINT) };
        at = at.wrapping_add(1);
    }
}

/// The start of the paint. At most 64 KiB are painted, which is enough on boards with megabytes.
fn lowest() -> *mut u32 {
    let most = (&raw mut START).wrapping_byte_sub(0x1_0000);
    if most > end() { most } else { end() }
}

/// The high-water mark of the stack since the paint, in bytes.
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

/// The stack of `op`, in bytes. The resolution is 32.
#[inline(never)]
pub fn of(mut op: impl FnMut()) -> usize {
    paint();
    let before = &raw mut START as usize - here();
    op();
    high_water().saturating_sub(before)
}
