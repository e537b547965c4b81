use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

const SETTLE: u64 = 100;

fn journal(capacity: usize) -> Journal<str> {
    Journal::new(JournalSettings {
        capacity,
        settle: SETTLE,
        longest_ttl: None,
        retry: (10, 40),
    })
}

fn replay(journal: &mut Journal<str>, now: u64) -> usize {
    let replay = journal.next(now, 10).expect("something to do");
    journal.replayed(&replay, now)
}

#[test]
fn unsent_write_is_deleted_once() {
    let mut journal = journal(4);
    assert_eq!(journal.missed("k", MissedOp::Other), RecordOutcome::First);
    assert_eq!(journal.trust("k", 0), Trust::Distrusted);
    assert_eq!(journal.trust("other", 0), Trust::Trusted);
    assert_eq!(journal.next_at(), Some(0));
    assert_eq!(replay(&mut journal, 0), 1);
    assert_eq!(journal.trust("k", 0), Trust::Trusted);
    assert!(journal.is_empty() && journal.next(0, 10).is_none());
}

#[test]
fn write_that_may_still_arrive_is_deleted_twice() {
    let mut journal = journal(4);
    journal.missed("k", MissedOp::UnacknowledgedWrite);
    assert_eq!(replay(&mut journal, 5), 0);
    assert!(journal.next(5, 10).is_none());
    assert_eq!(journal.next_at(), Some(5 + SETTLE));
    // A write that is done meanwhile may be overwritten by it.
    journal.done("k");
    assert_eq!(journal.trust("k", 50), Trust::Distrusted);
    assert_eq!(replay(&mut journal, 5 + SETTLE), 1);
    assert_eq!(journal.trust("k", 5 + SETTLE), Trust::Trusted);
}

#[test]
fn write_missed_during_its_replay_is_replayed_again() {
    let mut journal = journal(4);
    journal.missed("k", MissedOp::Other);
    let under_way = journal.next(0, 10).unwrap();
    journal.missed("k", MissedOp::Other);
    assert_eq!(journal.replayed(&under_way, 0), 0);
    assert_eq!(journal.trust("k", 0), Trust::Distrusted);
    assert_eq!(replay(&mut journal, 0), 1);
}

#[test]
fn failed_replay_backs_off() {
    let (mut journal, mut random) = (journal(4), Random::new(1));
    journal.missed("k", MissedOp::Other);
    let mut now = 0;
    for most in [10, 20, 40, 40] {
        journal.not_replayed(now, &mut random);
        let next = journal.next_at().unwrap();
        assert!((most / 2..=most).contains(&(next - now)));
        assert!(journal.next(next - 1, 10).is_none());
        now = next;
    }
    journal.not_replayed(now, &mut random);
    journal.retry_now();
    assert_eq!(replay(&mut journal, now), 1);
}

#[test]
fn earlier_due_time_is_reported() {
    let mut journal = journal(4);
    assert_eq!(
        journal.missed("sent", MissedOp::UnacknowledgedWrite),
        RecordOutcome::First
    );
    assert_eq!(journal.missed("a", MissedOp::Other), RecordOutcome::Kept);
    assert_eq!(replay(&mut journal, 0), 1);
    assert_eq!(journal.next_at(), Some(SETTLE));
    assert_eq!(journal.missed("b", MissedOp::Other), RecordOutcome::Earlier);
    assert_eq!(journal.next_at(), Some(0));
}

#[test]
fn rejected_key_does_not_block_the_others() {
    let (mut journal, mut random) = (journal(8), Random::new(1));
    for key in ["a", "never", "b", "refused", "c"] {
        journal.missed(key, MissedOp::Other);
    }
    let mut now = 0;
    let mut made_good = 0;
    // A refused batch is repeated key by key.
    for _ in 0..6 {
        now = journal.next_at().unwrap();
        let replay = journal.next(now, 10).unwrap();
        let Replay::Keys(keys) = &replay else {
            panic!("no clear was missed");
        };
        let of = |name| keys.iter().any(|(key, _)| key.get() == name);
        match of("never") || of("refused") {
            true => journal.refused(&replay, of("never") && keys.len() == 1, now, &mut random),
            false => made_good += journal.replayed(&replay, now),
        }
    }
    assert_eq!((made_good, journal.len()), (3, 1));
    assert_eq!(journal.trust("refused", now), Trust::Distrusted);
    assert_eq!(journal.trust("never", now), Trust::Trusted);
    // The other keys do not wait for it, and it is retried.
    assert_eq!(journal.missed("d", MissedOp::Other), RecordOutcome::Earlier);
    now = journal.next_at().unwrap();
    assert_eq!(replay(&mut journal, now), 1);
    now = journal.next_at().unwrap();
    assert_eq!(replay(&mut journal, now), 1);
    assert!(journal.is_empty());
}

#[test]
fn overflowed_key_is_recognised_and_repaired_on_lookup() {
    let mut journal = journal(1);
    journal.missed("a", MissedOp::Other);
    assert_eq!(
        journal.missed("b", MissedOp::UnacknowledgedWrite),
        RecordOutcome::Overflowed
    );
    assert!(journal.overflowed());
    assert_eq!(replay(&mut journal, 0), 1);
    assert_eq!(journal.trust("a", 0), Trust::Trusted);
    let Trust::Repair(first) = journal.trust("b", 0) else {
        panic!("not recognised");
    };
    journal.repaired("b", first, 0);
    // The write may still arrive.
    assert_eq!(journal.trust("b", SETTLE - 1), Trust::Distrusted);
    let Trust::Repair(again) = journal.trust("b", SETTLE) else {
        panic!("not due");
    };
    journal.repaired("b", again, SETTLE);
    assert_eq!(journal.trust("b", SETTLE), Trust::Trusted);
    // A repair from before it was missed again does not count.
    journal.missed("c", MissedOp::Other);
    journal.missed("b", MissedOp::Other);
    journal.repaired("b", again, 10 * SETTLE);
    assert!(matches!(journal.trust("b", 10 * SETTLE), Trust::Repair(_)));
}

#[test]
fn overflow_filter_is_dropped_after_the_last_ttl() {
    let mut journal = journal(0);
    journal.settings.longest_ttl = Some(1_000);
    journal.missed("a", MissedOp::Other);
    let Trust::Repair(repair) = journal.trust("a", 0) else {
        panic!("not recognised");
    };
    journal.repaired("b", repair, 0);
    assert_ne!(journal.trust("a", SETTLE + 999), Trust::Trusted);
    assert_eq!(journal.trust("a", SETTLE + 1_000), Trust::Trusted);
    assert!(!journal.overflowed());
}

#[test]
fn replayed_clear_covers_earlier_writes() {
    let mut journal = journal(1);
    journal.missed("a", MissedOp::Other);
    journal.missed("b", MissedOp::Other);
    journal.missed_all();
    assert_eq!(journal.trust("c", 0), Trust::Distrusted);
    let clear = journal.next(0, 10).unwrap();
    assert!(matches!(clear, Replay::Clear(_)));
    journal.replayed(&clear, 0);
    assert!(journal.is_empty() && !journal.overflowed());
    // Neither records since its start nor writes that may still arrive.
    journal.missed("sent", MissedOp::UnacknowledgedWrite);
    journal.missed_all();
    let clear = journal.next(0, 10).unwrap();
    journal.missed("late", MissedOp::Other);
    journal.replayed(&clear, 0);
    assert_eq!(journal.trust("sent", 0), Trust::Distrusted);
    assert!(matches!(journal.trust("late", 0), Trust::Repair(_)));
    assert_eq!(journal.trust("c", 0), Trust::Trusted);
}

proptest! {
    /// A second level that holds an old value at every key, and loses, delays and does requests at
    /// random: no trusted value of a written key is old.
    #[test]
    fn stale_entry_is_never_read(
        capacity in 0..4usize,
        steps in prop::collection::vec((0..6u8, 0..5usize, 0..60u64), 1..150),
    ) {
        const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
        let mut journal = journal(capacity);
        // Keys that were written, those that the second level has an old value of, and old writes
        // that may still arrive there.
        let mut written: HashSet<&str> = HashSet::new();
        let mut old: HashSet<&str> = KEYS.into();
        let mut late: Vec<(&str, Option<u64>)> = Vec::new();
        let mut now = 0;
        for (step, key, wait) in steps {
            now += wait;
            let key = KEYS[key];
            // Once it answered, nothing is under way for longer than it may be.
            late.retain(|(key, until)| {
                let over = until.is_some_and(|until| until <= now);
                if over {
                    old.insert(*key);
                }
                !over
            });
            match step {
                0 => {
                    written.insert(key);
                    journal.missed(key, MissedOp::Other);
                }
                1 => {
                    written.insert(key);
                    late.push((key, None));
                    journal.missed(key, MissedOp::UnacknowledgedWrite);
                }
                2 if !late.is_empty() => {
                    let (key, _) = late.swap_remove(wait as usize % late.len());
                    old.insert(key);
                }
                3 => if let Some(replay) = journal.next(now, 2) {
                    if let Replay::Keys(keys) = &replay {
                        for (key, _) in keys {
                            old.remove(key.get());
                        }
                    }
                    journal.replayed(&replay, now);
                    for (_, until) in &mut late {
                        until.get_or_insert(now + SETTLE);
                    }
                },
                4 => {
                    written.insert(key);
                    old.remove(key);
                    journal.done(key);
                    for (_, until) in &mut late {
                        until.get_or_insert(now + SETTLE);
                    }
                }
                _ => match journal.trust(key, now) {
                    Trust::Trusted => prop_assert!(!written.contains(key) || !old.contains(key)),
                    Trust::Distrusted => {}
                    Trust::Repair(repair) => {
                        old.remove(key);
                        journal.repaired(key, repair, now);
                        for (_, until) in &mut late {
                            until.get_or_insert(now + SETTLE);
                        }
                    }
                }
            }
        }
    }
}
