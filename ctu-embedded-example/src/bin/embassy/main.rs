//! Tasks of embassy on shared caches, without a heap.
//!
//! Calibrations come from a slow memory on a bus, whose first read fails. Three tasks request the
//! same calibration at the same time, and one of them reads the bus: `LocalSingleFlightCache` runs
//! one computation a key. Readings come from an interrupt. `EmbassyClock` ends both.
//!
//! `cargo embassy` builds it, boots it in QEMU and shows its log.
#![no_std]
#![no_main]

// This program has no use for all of it.
#[allow(dead_code, unused_imports)]
#[path = "../../board.rs"]
mod board;
mod time_driver;

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use ctu_core::{
    Cache, CacheExt, CriticalSectionMutex, EmbassyClock, Error, LocalAsyncCacheExt,
    LocalSingleFlightCache, LockedCache, Ready, TtlCache,
};
use embassy_executor::Spawner;
use embassy_sync::{blocking_mutex::raw::CriticalSectionRawMutex, channel::Channel};
use embassy_time::{Instant, Timer};
use static_cell::StaticCell;

/// The last reading of each sensor, a miss after 100 ms. An interrupt shares it, so its lock is a
/// critical section.
static READINGS: LockedCache<CriticalSectionMutex, TtlCache<u8, i32, 4, EmbassyClock>> =
    LockedCache::new(TtlCache::new(Duration::from_millis(100), EmbassyClock));

/// The tasks that have ended.
static ENDED: Channel<CriticalSectionRawMutex, Result<(), Error>, TASKS> = Channel::new();
const TASKS: usize = 3;

/// Offsets by the number of their sensor. Only the tasks of one executor share it, so a `RefCell` is
/// its lock.
type Offsets = LocalSingleFlightCache<Ready<RefCell<TtlCache<u8, i32, 8, EmbassyClock>>>, TASKS>;

/// The parts that the tasks share.
struct Shared {
    offsets: Offsets,
    bus: Bus,
}

/// Stands for a memory on a slow bus.
struct Bus {
    reads: Cell<u32>,
}

#[derive(Debug, defmt::Format)]
struct NoAnswer;

impl Bus {
    /// Takes 40 ms. The first read fails.
    async fn read(&self, sensor: u8) -> Result<i32, NoAnswer> {
        self.reads.set(self.reads.get() + 1);
        Timer::after_millis(40).await;
        match self.reads.get() {
            1 => Err(NoAnswer),
            _ => Ok(-100 * i32::from(sensor)),
        }
    }
}

/// The timer's interrupt, every 10 ms: the time driver, and a converter.
fn on_tick() {
    time_driver::tick();
    // Never busy: the main program is not in a critical section.
    if READINGS.insert(&1, 21_500).is_err() {
        defmt::error!("a reading was lost");
    }
}

/// Reports a sensor twice; the offset expires in between.
#[embassy_executor::task(pool_size = TASKS)]
async fn report(number: usize, shared: &'static Shared) {
    ENDED.send(try_report(number, shared).await).await;
}

async fn try_report(number: usize, shared: &Shared) -> Result<(), Error> {
    let sensor = 1;
    for _ in 0..2 {
        let read = || shared.bus.read(sensor);
        // No lock is held across an await, nor while the log is written.
        let offset = shared.offsets.get_or_try_insert_with(&sensor, read).await?;
        let reading = READINGS.get(&sensor)?;
        let now = Instant::now().as_millis();
        match (reading, offset) {
            (Some(reading), Ok(offset)) => defmt::info!(
                "{=u64} ms: task {=usize}: {=i32} m°C",
                now,
                number,
                reading + offset
            ),
            (None, _) => defmt::warn!("{=u64} ms: task {=usize}: no reading", now, number),
            (_, Err(error)) => {
                defmt::warn!("{=u64} ms: task {=usize}: the bus: {}", now, number, error)
            }
        }
        Timer::after_millis(400).await;
    }
    Ok(())
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static SHARED: StaticCell<Shared> = StaticCell::new();
    let store = TtlCache::new(Duration::from_millis(300), EmbassyClock);
    let shared = SHARED.init(Shared {
        offsets: LocalSingleFlightCache::new(Ready(RefCell::new(store))),
        bus: Bus {
            reads: Cell::new(0),
        },
    });
    board::start_timer();
    Timer::after_millis(20).await;
    for number in 1..=TASKS {
        match report(number, shared) {
            Ok(task) => spawner.spawn(task),
            Err(_) => defmt::error!("no room for task {=usize}", number),
        }
    }
    for _ in 0..TASKS {
        if let Err(error) = ENDED.receive().await {
            defmt::error!("{}", error);
            board::exit(1);
        }
    }
    defmt::info!(
        "6 requests, {=u32} reads of the bus, one of them failed",
        shared.bus.reads.get()
    );
    defmt::info!("done after {=u64} ms", Instant::now().as_millis());
    board::exit(0)
}
