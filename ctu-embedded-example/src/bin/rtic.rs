//! A store as a resource of RTIC: no lock around it.
//!
//! RTIC gives each task exclusive access to its resources: a shared one by the priorities of its
//! tasks, for the time of a closure, and a local one without a closure. So a store is used as plain
//! data, without a `LockedCache`.
//!
//! `cargo rtic` builds it, boots it in QEMU and shows its log.
#![no_std]
#![no_main]

#[cfg(rtt)]
use defmt_rtt as _;
#[cfg(not(rtt))]
use defmt_semihosting as _;
use rtic_monotonics::systick::prelude::*;

systick_monotonic!(Mono, 1_000);

/// The time of the entries: that of the tasks.
#[derive(Clone, Copy)]
pub struct MonoClock;

impl ctu_core::Clock for MonoClock {
    /// `Mono` counts milliseconds in 32 bits.
    const BITS: u32 = 32;

    fn now(&self) -> u64 {
        u64::from(Mono::now().as_ticks())
    }
}

#[rtic::app(device = lm3s6965, dispatchers = [UART0, UART1])]
mod app {
    use super::{Mono, MonoClock};
    use core::time::Duration;
    use ctu_core::{Bytes, LruCache, TtlCache};
    use rtic_monotonics::systick::prelude::*;

    #[shared]
    struct Shared {
        /// The last reading of each sensor, a miss after 150 ms.
        readings: TtlCache<u8, i32, 4, MonoClock>,
    }

    #[local]
    struct Local {
        /// Names of sensors, which one task uses.
        names: LruCache<u8, Bytes<16>, 4>,
    }

    #[init]
    fn init(context: init::Context) -> (Shared, Local) {
        Mono::start(context.core.SYST, 12_500_000);
        let started = sample::spawn().is_ok() && report::spawn().is_ok();
        defmt::assert!(started, "a task is under way");
        let readings = TtlCache::new(Duration::from_millis(150), MonoClock);
        let names = LruCache::new();
        (Shared { readings }, Local { names })
    }

    /// A converter, more urgent than the report. It breaks down after 200 ms.
    #[task(shared = [readings], priority = 2)]
    async fn sample(mut context: sample::Context) {
        for number in 0..20 {
            context.shared.readings.lock(|readings| {
                readings.insert(1, 21_000 + number);
            });
            Mono::delay(10.millis()).await;
        }
    }

    #[task(shared = [readings], local = [names], priority = 1)]
    async fn report(mut context: report::Context) {
        let names = context.local.names;
        if let Ok(name) = Bytes::try_from(&b"greenhouse"[..]) {
            names.insert(1, name);
        }
        for _ in 0..4 {
            Mono::delay(100.millis()).await;
            // The reading leaves the resource, and the log is written after it.
            let reading = context
                .shared
                .readings
                .lock(|readings| readings.get(&1).copied());
            let name = names.get(&1).map_or(&[][..], |name| &name[..]);
            let now = Mono::now().duration_since_epoch().as_millis();
            match reading {
                Some(reading) => {
                    defmt::info!("{=u32} ms: {=[u8]:a} read {=i32} m°C", now, name, reading)
                }
                None => defmt::warn!("{=u32} ms: {=[u8]:a} is silent", now, name),
            }
        }
        defmt::info!(
            "done after {=u32} ms",
            Mono::now().duration_since_epoch().as_millis()
        );
        semihosting::process::exit(0)
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    semihosting::process::exit(101)
}
