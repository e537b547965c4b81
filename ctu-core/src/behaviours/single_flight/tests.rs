use super::*;
use alloc::{string::String, sync::Arc, task::Wake, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use proptest::prelude::*;

type Tested = Machine<String, u32, FxBuildHasher>;

fn new() -> Tested {
    Machine::with_hashers(FxBuildHasher, FxBuildHasher)
}

/// A waker that counts its calls.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A caller that waits.
struct Caller {
    wait: Wait,
    woken: Arc<Woken>,
}

impl Caller {
    fn poll(&self, machine: &mut Tested) -> Waited<u32> {
        machine.poll(&self.wait, &Waker::from(Arc::clone(&self.woken)))
    }

    fn woken(&self) -> u32 {
        self.woken.0.load(Relaxed)
    }
}

fn join(machine: &mut Tested, caller: u64) -> Joined {
    machine.join("k", Some(caller), || "k".into())
}

fn lead(machine: &mut Tested, caller: u64) -> Lead {
    match join(machine, caller) {
        Joined::Lead(lead) => lead,
        other => panic!("{other:?}"),
    }
}

/// Joins as one of those that wait, and polls once.
fn wait(machine: &mut Tested, caller: u64) -> Caller {
    let Joined::Wait(wait) = join(machine, caller) else {
        panic!("no flight to wait for");
    };
    let caller = Caller {
        wait,
        woken: Arc::default(),
    };
    assert!(matches!(caller.poll(machine), Waited::Pending));
    caller
}

fn lead_of(waited: Waited<u32>) -> Lead {
    match waited {
        Waited::Lead(lead) => lead,
        other => panic!("{other:?}"),
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

fn assert_empty(machine: &Tested) {
    assert!(machine.joinable.is_empty() && machine.flights.is_empty());
    assert!(machine.doubted.is_empty() && machine.outdated.is_empty());
}

#[test]
fn all_waiters_get_the_result() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    let waiting = [2, 3, 4].map(|caller| wait(&mut machine, caller));
    wake(machine.finish(first, Some(7)));
    // A caller that joins now is too late for it: the value is in the cache.
    let next = lead(&mut machine, 9);
    for caller in waiting {
        assert_eq!(caller.woken(), 1);
        assert!(matches!(caller.poll(&mut machine), Waited::Value(7)));
    }
    wake(machine.finish(next, None));
    assert_empty(&machine);
}

#[test]
fn longest_waiting_caller_leads_after_a_failure() {
    let mut machine = new();
    let mut leading = lead(&mut machine, 1);
    let waiting = [2, 3, 4].map(|caller| wait(&mut machine, caller));
    for (at, caller) in waiting.iter().enumerate() {
        wake(machine.finish(leading, None));
        let woken: Vec<u32> = waiting.iter().map(Caller::woken).collect();
        assert_eq!(woken.iter().sum::<u32>() as usize, at + 1, "{woken:?}");
        for later in &waiting[at + 1..] {
            assert_eq!(later.woken(), 0);
        }
        leading = lead_of(caller.poll(&mut machine));
    }
    wake(machine.finish(leading, None));
    assert_empty(&machine);
}

#[test]
fn waiter_that_leaves_hands_its_turn_on() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    let [second, third] = [2, 3].map(|caller| wait(&mut machine, caller));
    wake(machine.finish(first, None));
    assert_eq!((second.woken(), third.woken()), (1, 0));
    wake(machine.leave(&second.wait));
    assert_eq!(third.woken(), 1);
    let leading = lead_of(third.poll(&mut machine));
    wake(machine.finish(leading, Some(1)));
    assert_empty(&machine);
}

#[test]
fn nothing_is_kept_of_waiters_that_left() {
    let mut machine = new();
    let first = lead(&mut machine, 0);
    let stays = wait(&mut machine, 1);
    for caller in 2..10_000 {
        let gone = wait(&mut machine, caller);
        assert!(machine.leave(&gone.wait).is_none());
        assert_eq!(Arc::strong_count(&gone.woken), 1, "its waker is dropped");
    }
    let crowd: Vec<Caller> = (0..10_000)
        .map(|caller| wait(&mut machine, caller + 2))
        .collect();
    for gone in &crowd {
        assert!(machine.leave(&gone.wait).is_none());
    }
    let flight = machine.flights.values().next().unwrap();
    assert!(flight.waiters.capacity() < 20);
    wake(machine.finish(first, Some(1)));
    assert!(matches!(stays.poll(&mut machine), Waited::Value(1)));
    assert_empty(&machine);
}

#[test]
fn all_waiters_may_leave_in_any_state() {
    for outcome in [None, Some(Some(1)), Some(None)] {
        let mut machine = new();
        let first = lead(&mut machine, 0);
        let waiting = [1, 2, 3].map(|caller| wait(&mut machine, caller));
        let mut first = Some(first);
        if let Some(value) = outcome {
            wake(machine.finish(first.take().unwrap(), value));
        }
        for caller in &waiting {
            wake(machine.leave(&caller.wait));
        }
        if let Some(first) = first {
            assert!(machine.is_current(&first));
            wake(machine.finish(first, Some(1)));
        }
        assert_empty(&machine);
        let again = lead(&mut machine, 1);
        wake(machine.finish(again, None));
    }
}

#[test]
fn expired_waiter_computes_beside_the_leader_and_the_first_result_counts() {
    let mut machine = new();
    let mut slow = lead(&mut machine, 1);
    let [expired, waiting] = [2, 3].map(|caller| wait(&mut machine, caller));
    let mut quick = lead_of(machine.expire(&expired.wait));
    assert!(matches!(join(&mut machine, 2), Joined::Within));
    assert!(matches!(join(&mut machine, 1), Joined::Within));
    // Its failure is not the flight's.
    let failing = wait(&mut machine, 4);
    let failing = lead_of(machine.expire(&failing.wait));
    assert!(machine.finish(failing, None).is_empty());

    assert!(machine.store(&mut quick) && !machine.store(&mut slow));
    wake(machine.finish(quick, Some(7)));
    assert!(matches!(waiting.poll(&mut machine), Waited::Value(7)));
    assert!(!machine.is_current(&slow) && !machine.store(&mut slow));
    wake(machine.finish(slow, Some(1)));
    assert_empty(&machine);
}

#[test]
fn result_that_is_being_stored_ends_the_flight() {
    let mut machine = new();
    let mut slow = lead(&mut machine, 1);
    let [expired, waiting] = [2, 3].map(|caller| wait(&mut machine, caller));
    let quick = lead_of(machine.expire(&expired.wait));
    assert!(machine.store(&mut slow));
    wake(machine.finish(quick, Some(7)));
    assert!(matches!(waiting.poll(&mut machine), Waited::Pending));
    // A write finds it still.
    wake(machine.written("k"));
    assert!(machine.doubts("k"));
    wake(machine.finish(slow, Some(8)));
    assert!(!machine.doubts("k"));
    assert!(matches!(waiting.poll(&mut machine), Waited::Value(8)));
    assert_empty(&machine);
}

#[test]
fn expired_waiter_takes_a_result_that_is_there() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    let waiting = wait(&mut machine, 2);
    wake(machine.finish(first, Some(7)));
    assert!(matches!(machine.expire(&waiting.wait), Waited::Value(7)));
    assert_empty(&machine);
}

#[test]
fn computation_within_itself_does_not_wait() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    assert!(matches!(join(&mut machine, 1), Joined::Within));
    wake(machine.finish(first, None));
    // Callers without a name are never the same.
    let anonymous = |machine: &mut Tested| machine.join("k", None, || "k".into());
    let Joined::Lead(first) = anonymous(&mut machine) else {
        panic!("a flight is under way");
    };
    assert!(matches!(anonymous(&mut machine), Joined::Wait(_)));
    drop(machine.finish(first, None));
}

#[test]
fn caller_after_a_write_gets_no_older_result() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    let before = wait(&mut machine, 2);
    assert!(machine.is_current(&first));
    wake(machine.written("k"));
    assert!(!machine.is_current(&first));
    let second = lead(&mut machine, 3);
    wake(machine.finish(first, None));
    assert!(matches!(before.poll(&mut machine), Waited::Rejoin));
    assert!(machine.is_current(&second));
    wake(machine.finish(second, Some(1)));
    assert_empty(&machine);
}

#[test]
fn stored_result_is_in_doubt_after_a_write() {
    let mut machine = new();
    let mut first = lead(&mut machine, 1);
    assert!(machine.store(&mut first) && !machine.doubts("k"));
    wake(machine.written("k"));
    assert!(machine.doubts("k"));
    let mut next = lead(&mut machine, 2);
    assert!(machine.store(&mut next));
    wake(machine.all_written());
    wake(machine.finish(first, Some(1)));
    assert!(machine.doubts("k"));
    wake(machine.finish(next, None));
    assert!(!machine.doubts("k"));
    let mut late = lead(&mut machine, 3);
    wake(machine.written("k"));
    assert!(!machine.store(&mut late) && !machine.doubts("k"));
    wake(machine.finish(late, None));
    assert_empty(&machine);
}

#[test]
fn outdated_result_is_stored_unless_its_key_is_written() {
    let mut machine = new();
    let mut first = lead(&mut machine, 1);
    let before = wait(&mut machine, 2);
    wake(machine.outdate("k"));
    let mut second = lead(&mut machine, 3);
    assert!(machine.store(&mut first) && machine.store(&mut second));
    wake(machine.finish(first, Some(1)));
    assert!(matches!(before.poll(&mut machine), Waited::Value(1)));
    wake(machine.outdate("k"));
    assert!(!machine.is_empty() && machine.is_current(&second));
    wake(machine.written("k"));
    assert!(machine.doubts("k") && !machine.is_current(&second));
    wake(machine.finish(second, Some(2)));
    for written in [
        |machine: &mut Tested| machine.written("k"),
        Tested::all_written,
    ] {
        let mut third = lead(&mut machine, 1);
        wake(machine.outdate("k"));
        wake(written(&mut machine));
        assert!(!machine.store(&mut third));
        wake(machine.finish(third, None));
    }
    assert_empty(&machine);
}

#[test]
fn waiters_join_again_after_an_outdated_computation_failed() {
    let mut machine = new();
    let first = lead(&mut machine, 1);
    let waiting = wait(&mut machine, 2);
    wake(machine.outdate("k"));
    wake(machine.finish(first, None));
    assert_eq!(waiting.woken(), 1);
    assert!(matches!(waiting.poll(&mut machine), Waited::Rejoin));
    // And those that wait for a turn.
    let second = lead(&mut machine, 1);
    let waiting = [2, 3].map(|caller| wait(&mut machine, caller));
    wake(machine.finish(second, None));
    wake(machine.outdate("k"));
    for caller in &waiting {
        assert!(caller.woken() > 0);
        assert!(matches!(caller.poll(&mut machine), Waited::Rejoin));
    }
    assert_empty(&machine);
}

/// The next action of a caller.
#[derive(Default)]
enum Doing {
    #[default]
    Nothing,
    Leads(Lead),
    Waits(Caller),
}

impl Doing {
    fn after(waited: Waited<u32>, caller: Caller) -> Self {
        match waited {
            Waited::Pending => Self::Waits(caller),
            Waited::Lead(lead) => Self::Leads(lead),
            Waited::Value(_) | Waited::Rejoin => Self::Nothing,
        }
    }

    /// The next step of a caller that is only polled once it was woken.
    fn step(self, step: u8, who: u64, machine: &mut Tested) -> Self {
        match (self, step) {
            (Self::Nothing, 0 | 1) => match join(machine, who) {
                Joined::Lead(lead) => Self::Leads(lead),
                Joined::Within => panic!("it computes nothing"),
                Joined::Wait(wait) => {
                    let woken = Arc::default();
                    let caller = Caller { wait, woken };
                    Self::after(caller.poll(machine), caller)
                }
            },
            (Self::Leads(mut lead), 2) => {
                machine.store(&mut lead);
                Self::Leads(lead)
            }
            (Self::Leads(lead), 3 | 4) => {
                wake(machine.finish(lead, (step == 3).then_some(1)));
                Self::Nothing
            }
            (Self::Waits(caller), 5) => {
                wake(machine.leave(&caller.wait));
                Self::Nothing
            }
            (Self::Waits(caller), 6) => Self::after(machine.expire(&caller.wait), caller),
            (doing, 7) => {
                wake(machine.written("k"));
                doing
            }
            (doing, 9) => {
                wake(machine.outdate("k"));
                doing
            }
            (Self::Waits(caller), _) if caller.woken.0.swap(0, Relaxed) > 0 => {
                Self::after(caller.poll(machine), caller)
            }
            (doing, _) => doing,
        }
    }
}

proptest! {
    /// Callers that are polled only when they were woken all come to an end, and leave nothing behind.
    #[test]
    fn no_schedule_loses_a_wake_up(
        steps in prop::collection::vec((0..10u8, 0..6u64), 1..300),
    ) {
        let mut machine = new();
        let mut doing: Vec<Doing> = (0..6).map(|_| Doing::Nothing).collect();
        for (step, who) in steps {
            let at = usize::try_from(who).unwrap();
            doing[at] = mem::take(&mut doing[at]).step(step, who, &mut machine);
        }
        // All leaders fail, and all waiters that are woken lead.
        for _ in 0..20 {
            for (who, doing) in (0..).zip(&mut doing) {
                let step = if matches!(doing, Doing::Leads(_)) { 4 } else { 8 };
                *doing = mem::take(doing).step(step, who, &mut machine);
            }
        }
        prop_assert!(doing.iter().all(|doing| matches!(doing, Doing::Nothing)));
        prop_assert!(machine.flights.is_empty() && machine.joinable.is_empty());
        prop_assert!(machine.doubted.is_empty() && machine.outdated.is_empty());
    }
}

#[cfg(feature = "std")]
#[test]
fn clone_of_a_value_that_panics_keeps_no_place() {
    #[derive(Debug)]
    struct Fragile;
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            panic!("not cloned")
        }
    }
    let mut machine = Machine::<u32, Fragile, _>::with_hashers(FxBuildHasher, FxBuildHasher);
    let mut join = || machine.join(&1, None, || 1);
    let (Joined::Lead(first), Joined::Wait(second), Joined::Wait(third)) = (join(), join(), join())
    else {
        panic!("one leads and two wait");
    };
    drop(machine.finish(first, Some(Fragile)));
    let poll = |machine: &mut Machine<_, Fragile, _>, wait: &Wait| {
        let poll = std::panic::AssertUnwindSafe(|| machine.poll(wait, Waker::noop()));
        std::panic::catch_unwind(poll)
    };
    assert!(poll(&mut machine, &second).is_err());
    // The last takes it, and clones nothing.
    assert!(matches!(poll(&mut machine, &third), Ok(Waited::Value(_))));
    assert!(machine.flights.is_empty());
    drop((second, third));
}
