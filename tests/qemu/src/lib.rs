//! What all firmware here shares: how it ends, and how it counts.
//!
//! Firmware ends by telling QEMU an exit code: 0 where all is well, 101 after a panic, 102 after a fault. Without
//! that, what fails would look like what hangs.
#![no_std]

use core::cell::Cell;
use core::panic::PanicInfo;
use critical_section::Mutex;
// The logger that defmt writes to.
use defmt_semihosting as _;
// On machines without compare-and-swap: what `portable-atomic` is told above all is read by it at build time only.
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic as _;

pub mod count;
pub mod stack;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

/// What runs now, for the panic handler to name.
static RUNNING: Mutex<Cell<&str>> = Mutex::new(Cell::new("start-up"));

/// Names what runs from now on, in the log too.
pub fn running(name: &'static str) {
    defmt::info!("case {=str}", name);
    critical_section::with(|cs| RUNNING.borrow(cs).set(name));
}

/// Ends the firmware, and QEMU with it.
pub fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let name = critical_section::with(|cs| RUNNING.borrow(cs).get());
    defmt::error!("FAILED {=str}: {}", name, defmt::Display2Format(info));
    exit(101)
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    defmt::error!("FAILED with a hard fault at {=u32:#x}", frame.pc());
    exit(102)
}

#[cfg(target_arch = "riscv32")]
#[riscv_rt::exception(riscv::interrupt::Exception::IllegalInstruction)]
fn illegal_instruction(_: &riscv_rt::TrapFrame) -> ! {
    exit(102)
}

#[cfg(target_arch = "riscv32")]
#[unsafe(no_mangle)]
extern "C" fn ExceptionHandler(_: &riscv_rt::TrapFrame) -> ! {
    defmt::error!(
        "FAILED with an exception at {=usize:#x}",
        riscv::register::mepc::read()
    );
    exit(102)
}
