//! Code that all firmware here shares: exit codes and counting.
//!
//! Firmware ends with an exit code of QEMU: 0 for success, 101 after a panic, 102 after a fault.
//! Without them, a failure would look like a hang.
#![no_std]

use core::cell::Cell;
use core::panic::PanicInfo;
use critical_section::Mutex;
// The logger that defmt writes to.
use defmt_semihosting as _;
// On machines without compare-and-swap, `portable-atomic` reads its settings at build time.
#[cfg(not(target_has_atomic = "ptr"))]
use portable_atomic as _;

pub mod count;
pub mod stack;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

/// The name of the current case, for the panic handler.
static RUNNING: Mutex<Cell<&str>> = Mutex::new(Cell::new("start-up"));

/// Sets the name of the current case and logs it.
pub fn running(name: &'static str) {
    defmt::info!("case {=str}", name);
    critical_section::with(|cs| RUNNING.borrow(cs).set(name));
}

/// Ends the firmware and QEMU.
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
