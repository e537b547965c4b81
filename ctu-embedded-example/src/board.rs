//! The board: a timer that interrupts every 10 ms, a clock that counts them, and an end.

use core::sync::atomic::{AtomicU32, Ordering};
use ctu_core::Clock;
// The logger of defmt: for a debug probe, or for QEMU.
#[cfg(rtt)]
use defmt_rtt as _;
#[cfg(not(rtt))]
use defmt_semihosting as _;
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic as _;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

/// Milliseconds from one interrupt of the timer to the next.
pub const TICK_MS: u32 = 10;

/// How often the timer interrupts, as `build.rs` knows it.
const TIMER_HZ: u32 = match u32::from_str_radix(env!("TIMER_HZ"), 10) {
    Ok(hz) => hz,
    Err(_) => panic!("TIMER_HZ is a number"),
};

/// Milliseconds since the start. Only the timer's interrupt writes to it.
static NOW: AtomicU32 = AtomicU32::new(0);

/// The clock of the entries: the count of the timer.
#[derive(Clone, Copy)]
pub struct Timer;

impl Clock for Timer {
    /// It wraps around after 49 days, which the store knows to deal with.
    const BITS: u32 = 32;

    fn now(&self) -> u64 {
        u64::from(NOW.load(Ordering::Relaxed))
    }
}

/// Milliseconds since the start.
pub fn now() -> u32 {
    NOW.load(Ordering::Relaxed)
}

fn tick() {
    NOW.store(now().wrapping_add(TICK_MS), Ordering::Relaxed);
    crate::on_tick();
}

/// Stands for the secret of a device, which a product reads from fuses or a secure element.
///
/// Here it is the identification of the processor, the same on all chips of a kind.
pub fn device_secret() -> [u8; 32] {
    let mut secret = [0; 32];
    let id = processor_id().to_le_bytes();
    for (at, part) in secret.chunks_exact_mut(id.len()).enumerate() {
        part.copy_from_slice(&id.map(|byte| byte.wrapping_add(at as u8)));
    }
    secret
}

#[cfg(target_arch = "arm")]
fn processor_id() -> u32 {
    // A register for reading, on every Cortex-M.
    unsafe { (*cortex_m::peripheral::CPUID::PTR).base.read() }
}

#[cfg(target_arch = "riscv32")]
fn processor_id() -> u32 {
    riscv::register::marchid::read().bits() as u32
}

/// Sleeps until the next interrupt.
pub fn wait() {
    #[cfg(target_arch = "arm")]
    cortex_m::asm::wfi();
    #[cfg(target_arch = "riscv32")]
    riscv::asm::wfi();
}

/// Starts the timer, and with it interrupts.
#[cfg(target_arch = "arm")]
pub fn start_timer() {
    use cortex_m::peripheral::{Peripherals, syst::SystClkSource};
    let Some(mut peripherals) = Peripherals::take() else {
        return;
    };
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(TIMER_HZ / 1_000 * TICK_MS - 1);
    peripherals.SYST.clear_current();
    peripherals.SYST.enable_counter();
    peripherals.SYST.enable_interrupt();
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
fn SysTick() {
    tick();
}

/// The timer of a RISC-V core: its count, and the time of its interrupt.
#[cfg(target_arch = "riscv32")]
mod machine_timer {
    const COUNT: *const u32 = 0x0200_BFF8 as *const u32;
    const COMPARE: *mut u32 = 0x0200_4000 as *mut u32;

    /// The next interrupt, one tick from now.
    pub fn set() {
        let ticks = super::TIMER_HZ / 1_000 * super::TICK_MS;
        // The registers of this board's timer, which no other code uses. The low words are enough
        // for an example: they wrap around after seven minutes.
        unsafe {
            let next = COUNT.read_volatile().wrapping_add(ticks);
            COMPARE.add(1).write_volatile(0);
            COMPARE.write_volatile(next);
        }
    }
}

/// Starts the timer, and with it interrupts.
#[cfg(target_arch = "riscv32")]
pub fn start_timer() {
    machine_timer::set();
    // Nothing here relies on interrupts being off.
    unsafe {
        riscv::register::mie::set_mtimer();
        riscv::interrupt::enable();
    }
}

#[cfg(target_arch = "riscv32")]
#[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineTimer)]
fn machine_timer() {
    machine_timer::set();
    tick();
}

/// Ends the program. On a board that is for ever in use, a reset would be the end.
pub fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}

// Nothing in ctu-core panics; code of a product may. Here that ends QEMU with an exit code.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(101)
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#x}", frame.pc());
    exit(102)
}

#[cfg(target_arch = "riscv32")]
#[unsafe(no_mangle)]
extern "C" fn ExceptionHandler(_: &riscv_rt::TrapFrame) -> ! {
    defmt::error!("exception at {=usize:#x}", riscv::register::mepc::read());
    exit(102)
}
