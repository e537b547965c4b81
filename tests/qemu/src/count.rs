//! Counts instructions. QEMU does not model cycles, caches or wait states; its counts are reproducible.

use core::hint::black_box;

/// A counter of machine time: SysTick under `-icount shift=8`, where an instruction takes 256 ns and a tick 40 ns.
#[cfg(target_arch = "arm")]
mod machine {
    use cortex_m::peripheral::{SYST, syst::SystClkSource};

    pub fn start() {
        // No firmware here uses it otherwise.
        let mut systick = unsafe { cortex_m::Peripherals::steal() }.SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(0x00FF_FFFF);
        systick.clear_current();
        systick.enable_counter();
    }

    #[inline(always)]
    pub fn now() -> u32 {
        // It counts down.
        !SYST::get_current()
    }

    pub fn instructions(begin: u32, end: u32) -> f32 {
        (end.wrapping_sub(begin) & 0x00FF_FFFF) as f32 / 6.4
    }
}

/// The instruction counter of the machine, under `-icount shift=0`.
#[cfg(target_arch = "riscv32")]
mod machine {
    pub fn start() {}

    #[inline(always)]
    pub fn now() -> u32 {
        riscv::register::minstret::read() as u32
    }

    pub fn instructions(begin: u32, end: u32) -> f32 {
        end.wrapping_sub(begin) as f32
    }
}

/// Starts the counter. It counts 2.6 million instructions at least.
pub fn start() {
    machine::start();
}

/// The count now, for [`between`].
#[inline(always)]
pub fn now() -> u32 {
    machine::now()
}

/// The instructions between two counts.
pub fn between(begin: u32, end: u32) -> u32 {
    (machine::instructions(begin, end) + 0.5) as u32
}

/// The sequence of numbers for an operation.
#[derive(Clone, Copy)]
enum Numbers {
    /// Random numbers.
    Random,
    /// Each number below the number of rounds once, shuffled.
    Each,
}

#[inline(never)]
fn total(op: &mut dyn FnMut(u32), rounds: u32, numbers: Numbers) -> f32 {
    let mut random = 1u32;
    let begin = machine::now();
    for round in 0..rounds {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = match numbers {
            Numbers::Random => random >> 8,
            // Rounds are a power of two, so an odd step visits all numbers below it.
            Numbers::Each => round.wrapping_mul(37) & (rounds - 1),
        };
        op(black_box(number));
    }
    let end = machine::now();
    machine::instructions(begin, end)
}

fn count(rounds: u32, numbers: Numbers, mut op: impl FnMut(u32)) -> u32 {
    machine::start();
    let nothing = &mut |number| {
        black_box(number);
    };
    let counting = total(nothing, rounds, numbers);
    let counted = total(&mut op, rounds, numbers);
    ((counted - counting) / rounds as f32 + 0.5) as u32
}

/// The mean instructions of one run of `op` over `rounds`, for random numbers, less the overhead of
/// counting: a call and the passing of the number.
pub fn average(rounds: u32, op: impl FnMut(u32)) -> u32 {
    count(rounds, Numbers::Random, op)
}

/// [`average`] over each number below `rounds` once. `rounds` is a power of two.
pub fn each(rounds: u32, op: impl FnMut(u32)) -> u32 {
    count(rounds, Numbers::Each, op)
}
