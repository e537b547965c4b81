//! A sensor node, to copy into a product.
//!
//! It keeps two caches in statics, with no heap:
//! * **Settings**, encrypted at rest in a stand-in for external memory, which the owner of the board
//!   can read.
//! * **Readings**, written by an interrupt and read by the main program. An old reading is a miss.
//!
//! `cargo run` builds it, boots it in QEMU and shows its log.
#![no_std]
#![no_main]

mod board;

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use ctu_core::{
    Bytes, Cache, CacheExt, CriticalSectionMutex, EncryptedCache, Error, LockedCache, LruCache,
    PrefixedCache, SmallFixedCache, SpinCache, StatsCache, TtlCache,
};

/// The last report of a sensor.
#[derive(Clone, Copy, defmt::Format)]
struct Reading {
    millidegrees: i32,
    at_ms: u32,
}

/// Stands for external memory: a chip beside the processor, which anyone can solder off and read.
///
/// It refuses a setting when it is full. A cache that evicts would lose another one.
static EXTERNAL: LockedCache<CriticalSectionMutex, SmallFixedCache<Bytes<20>, Bytes<64>, 2>> =
    LockedCache::new(SmallFixedCache::new());

/// Readings by the number of their sensor. A reading is a miss after 150 ms.
///
/// The interrupt and the main program share it, on one core, so its lock is a critical section: the
/// interrupt waits while the main program is in it. `docs/worst-cases.md` of ctu states for how long.
static READINGS: StatsCache<
    LockedCache<CriticalSectionMutex, TtlCache<u8, Reading, 4, board::Timer>>,
> = StatsCache::new(LockedCache::new(TtlCache::new(
    Duration::from_millis(150),
    board::Timer,
)));

/// A spin lock, to show its fault here.
///
/// If the interrupt came while the main program held this lock, and called `insert`, it would wait
/// for the main program, which waits for the interrupt to return: forever. `try_insert` returns
/// `Busy` instead.
static WRONG_LOCK: SpinCache<LruCache<u8, u32, 4>> = SpinCache::new(LruCache::new());

/// The number of times that the interrupt found the spin lock held.
static TURNED_AWAY: AtomicU32 = AtomicU32::new(0);

/// The timer's interrupt, every 10 ms: a converter or a radio in a product.
fn on_tick() {
    let now = board::now();
    for sensor in [1, 2] {
        // Sensor 2 breaks down after 200 ms.
        if sensor == 2 && now > 200 {
            continue;
        }
        let reading = Reading {
            millidegrees: 21_000 + (now as i32 * 7) % 500 + i32::from(sensor),
            at_ms: now,
        };
        // Never busy: this interrupt does not run while the main program is in the critical section.
        if READINGS.insert(&sensor, reading).is_err() {
            defmt::error!("a reading was lost");
        }
    }
    if WRONG_LOCK.try_insert(&1, now) == Err(Error::Busy) {
        // No other code writes to it, so a load and a store are enough. Some processors cannot add
        // in one step.
        TURNED_AWAY.store(TURNED_AWAY.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

#[board::entry]
fn main() -> ! {
    defmt::info!(
        "statics: {=usize} B of settings, {=usize} B of readings",
        size_of_val(&EXTERNAL),
        size_of_val(&READINGS)
    );
    board::start_timer();
    let done = settings().and_then(|()| readings()).and_then(|()| locks());
    match done {
        Ok(()) => {
            defmt::info!("done after {=u32} ms", board::now());
            board::exit(0)
        }
        Err(error) => {
            defmt::error!("{}", error);
            board::exit(1)
        }
    }
}

/// Settings that the external memory does not disclose, with a checksum against its wear.
fn settings() -> Result<(), Error> {
    let secret = board::device_secret();
    let settings = PrefixedCache::new(EncryptedCache::new(&EXTERNAL, &secret).csize(4)?, b"cfg.");
    settings.insert(b"wifi/psk", b"correct horse")?;
    settings.insert(b"name", b"greenhouse")?;

    let psk = settings.get(b"wifi/psk")?.unwrap_or_default();
    defmt::info!("wifi/psk is {=[u8]:a}", &psk);
    // A copy leaves the lock, and the log is written after it: the log takes long.
    let mut held = [const { None }; 2];
    EXTERNAL.with(|memory| {
        let copies = held.iter_mut().zip(memory.iter());
        copies.for_each(|(copy, (key, value))| *copy = Some((key.clone(), value.clone())));
    })?;
    for (key, value) in held.iter().flatten() {
        defmt::info!(
            "external memory holds {=[u8]:02x} at {=[u8]:02x}",
            value,
            key
        );
    }

    // A value that does not fit is an error, and changes nothing.
    match settings.insert(b"name", &[0; 100]) {
        Err(Error::ValueTooLong { len, max }) => {
            defmt::info!("a name of {=usize} B is refused, {=usize} fit", len, max)
        }
        other => defmt::error!("a long name: {}", other),
    }

    // A setting too many is an error, and evicts none.
    match settings.insert(b"timezone", b"UTC") {
        Err(Error::Full) => defmt::info!(
            "a third setting is refused, wifi/psk is still {=[u8]:a}",
            &settings.get(b"wifi/psk")?.unwrap_or_default()
        ),
        other => defmt::error!("a third setting: {}", other),
    }

    // A bit of the external memory flips: by the checksum (`csize`) the value is a miss.
    EXTERNAL.with(|memory| {
        memory.retain(|_, value| {
            value.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            true
        });
    })?;
    let name = settings.get_or_insert_with(b"name", || b"unnamed")?;
    defmt::info!(
        "name is {=[u8]:a}, {=usize} damaged value found",
        &name,
        settings.get_ref().damaged()
    );
    Ok(())
}

/// Readings while they are fresh.
fn readings() -> Result<(), Error> {
    for _ in 0..4 {
        let until = board::now() + 100;
        while board::now() < until {
            board::wait();
        }
        for sensor in [1, 2] {
            match READINGS.get_with_ttl(&sensor)? {
                Some((reading, left)) => defmt::info!(
                    "{=u32} ms: sensor {=u8} read {=i32} m°C at {=u32} ms, good for {} ms more",
                    board::now(),
                    sensor,
                    reading.millidegrees,
                    reading.at_ms,
                    left.map(|left| left.as_millis() as u32)
                ),
                None => defmt::warn!("{=u32} ms: sensor {=u8} is silent", board::now(), sensor),
            }
        }
    }
    defmt::info!("readings: {}", READINGS.stats()?);
    Ok(())
}

/// The fault of a spin lock between an interrupt and the main program, and the effect of a critical section.
fn locks() -> Result<(), Error> {
    // The main program stays in the lock for three ticks, and the interrupt comes meanwhile.
    let wait = || {
        let until = board::now() + 3 * board::TICK_MS;
        while board::now() < until {
            board::wait();
        }
    };
    TURNED_AWAY.store(0, Ordering::Relaxed);
    WRONG_LOCK.with(|_| wait())?;
    let turned_away = TURNED_AWAY.load(Ordering::Relaxed);
    defmt::info!(
        "spin lock: the interrupt was turned away {=u32} times; with `insert` it would hang",
        turned_away
    );

    // In a critical section the interrupt waits for the lock, so operations in there are short.
    let before = READINGS.get_ref().with(|store| store.get(&1).copied())?;
    wait();
    let after = READINGS.get_ref().with(|store| store.get(&1).copied())?;
    let came = after.map_or(0, |reading| reading.at_ms) - before.map_or(0, |reading| reading.at_ms);
    defmt::info!(
        "critical section: the interrupt wrote the readings of {=u32} ms, and lost none",
        came
    );
    Ok(())
}
