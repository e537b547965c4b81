//! Counts the instructions and the stack of operations, beside other crates.
//!
//! Lines are `cost;<subject>;<operation>;<instructions>`, `stack;` and `ram;<subject>;<operation>;<bytes>`: `run` makes tables
//! of them.
#![no_std]
#![no_main]

mod copies;
mod encrypted;
mod locks;
mod memory;
mod sealed;
mod stores;

use copies::copies;
use core::sync::atomic::{AtomicU32, Ordering};
use ctu_core::stores::{Clock, S3Fifo};
use ctu_qemu::{count, exit};
use encrypted::encrypted;
use locks::locks;
use memory::{ram, stacks};
use sealed::sealed;
use stores::{index_map, linear_map, lru, ttl, uluru, unordered};

/// Prints the mean instructions of `op` for random numbers.
fn average(subject: &str, operation: &str, rounds: u32, op: impl FnMut(u32)) {
    print(subject, operation, count::average(rounds, op));
}

/// The same for each number below `n` once.
fn each(subject: &str, operation: &str, n: u32, op: impl FnMut(u32)) {
    print(subject, operation, count::each(n, op));
}

fn print(subject: &str, operation: &str, instructions: u32) {
    defmt::info!(
        "cost;{=str};{=str};{=u32}",
        subject,
        operation,
        instructions
    );
}

/// A key that is never inserted.
const MISSING: u32 = 1 << 30;

/// A sequence of new keys.
struct Fresh(u32);

impl Fresh {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

/// Stands in for the timer, which counts instructions here.
static NOW: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy)]
struct Timer;

impl ctu_core::Clock for Timer {
    const BITS: u32 = 32;
    #[inline]
    fn now(&self) -> u64 {
        u64::from(NOW.load(Ordering::Relaxed))
    }
}

const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
const KEY: &[u8] = b"wifi/psk";

#[ctu_qemu::entry]
fn main() -> ! {
    ram();
    lru::<16>("LruCache<u32, u32, 16>");
    lru::<64>("LruCache<u32, u32, 64>");
    lru::<256>("LruCache<u32, u32, 256>");
    unordered::<64, Clock>("ClockCache<u32, u32, 64>");
    unordered::<256, Clock>("ClockCache<u32, u32, 256>");
    unordered::<64, S3Fifo<u16, 64>>("S3FifoCache<u32, u32, 64>");
    unordered::<256, S3Fifo<u16, 256>>("S3FifoCache<u32, u32, 256>");
    uluru::<16>("uluru::LRUCache<(u32, u32), 16>");
    uluru::<64>("uluru::LRUCache<(u32, u32), 64>");
    uluru::<256>("uluru::LRUCache<(u32, u32), 256>");
    index_map::<16>("heapless::FnvIndexMap<u32, u32, 16>");
    index_map::<64>("heapless::FnvIndexMap<u32, u32, 64>");
    index_map::<256>("heapless::FnvIndexMap<u32, u32, 256>");
    linear_map::<16>("heapless::LinearMap<u32, u32, 16>");
    linear_map::<64>("heapless::LinearMap<u32, u32, 64>");
    linear_map::<256>("heapless::LinearMap<u32, u32, 256>");
    ttl::<16>("TtlCache<u32, u32, 16, _>");
    ttl::<64>("TtlCache<u32, u32, 64, _>");
    ttl::<256>("TtlCache<u32, u32, 256, _>");
    locks();
    copies();
    encrypted();
    sealed();
    stacks();
    exit(0)
}
