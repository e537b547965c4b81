use super::{super::Repeat, *};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
    time::Duration,
};

/// Numbers its connections from 1, and has a clock that stands until it is set.
struct Numbers {
    opened: AtomicUsize,
    refuses: bool,
    began: Instant,
    passed: Mutex<Duration>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            opened: AtomicUsize::new(0),
            refuses: false,
            began: Instant::now(),
            passed: Mutex::default(),
        }
    }
}

struct Numbered(usize, bool);

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Refused,
    Net(NetError),
    Failed(Disposition),
}

impl Connect for Numbers {
    type Connection = Numbered;
    type Error = Problem;
    fn connect(&self, _: Deadline) -> Result<Numbered, Problem> {
        if self.refuses {
            return Err(Problem::Refused);
        }
        Ok(Numbered(self.opened.fetch_add(1, SeqCst) + 1, true))
    }
    fn probe(&self, _: &mut Numbered, _: Deadline) -> Result<(), Problem> {
        Ok(())
    }
    fn peer(&self) -> Peer {
        Peer::new("Numbers", &"home".into())
    }
    fn now(&self) -> Instant {
        self.began + *self.passed.lock()
    }
}

impl Connection for Numbered {
    fn is_idle(&mut self) -> bool {
        self.1
    }
}

impl From<NetError> for Problem {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl ConnectionError for Problem {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Failed(disposition) => *disposition,
            _ => Disposition::Close,
        }
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn limits(pool_size: usize) -> Limits {
    Limits {
        pool_size: Some(pool_size),
        ..Limits::default()
    }
}

fn pool(size: usize) -> Pool<Numbers> {
    Pool::new(Numbers::default(), limits(size))
}

/// The number of the connection that an operation ran on.
fn number(pool: &Pool<Numbers>) -> Result<usize, Problem> {
    pool.run(Repeat::Safe, soon(), |connection, _| Ok(connection.0))
}

/// Runs an operation that fails on connection `bad` only.
fn fail(
    pool: &Pool<Numbers>,
    repeat: Repeat,
    bad: usize,
    disposition: Disposition,
) -> Result<usize, Problem> {
    pool.run(repeat, soon(), |connection, _| {
        if connection.0 == bad {
            Err(Problem::Failed(disposition))
        } else {
            Ok(connection.0)
        }
    })
}

#[test]
fn nothing_is_opened_before_it_is_needed_and_one_serves_many() {
    let pool = pool(4);
    assert_eq!(pool.counts(), (0, 0));
    assert_eq!([number(&pool), number(&pool)], [Ok(1), Ok(1)]);
    assert_eq!(pool.counts(), (1, 0));
}

#[test]
fn an_answer_that_is_an_error_keeps_the_connection() {
    let pool = pool(4);
    let failed = fail(&pool, Repeat::Safe, 1, Disposition::Reuse);
    assert_eq!(failed, Err(Problem::Failed(Disposition::Reuse)));
    assert_eq!(number(&pool), Ok(1));
}

#[test]
fn a_dead_pooled_connection_costs_no_operation() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    assert_eq!(fail(&pool, Repeat::Safe, 1, Disposition::Lost), Ok(2));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn what_is_not_safe_to_repeat_is_not_repeated() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    let failed = fail(&pool, Repeat::Never, 1, Disposition::Lost);
    assert_eq!(failed, Err(Problem::Failed(Disposition::Lost)));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn a_fresh_connection_that_fails_is_not_tried_again() {
    let pool = pool(4);
    let failed = fail(&pool, Repeat::Safe, 1, Disposition::Lost);
    assert_eq!(failed, Err(Problem::Failed(Disposition::Lost)));
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn a_timeout_is_not_repeated_and_its_connection_is_thrown_away() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    let failed = fail(&pool, Repeat::Safe, 1, Disposition::Close);
    assert_eq!(failed, Err(Problem::Failed(Disposition::Close)));
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn connections_that_were_closed_meanwhile_are_passed_over() {
    let pool = pool(4);
    let mut leases: Vec<_> = (0..3).map(|_| pool.lease(soon()).unwrap()).collect();
    for lease in &mut leases {
        lease.fresh(soon()).unwrap().1 = false;
        lease.end(Disposition::Reuse);
    }
    drop(leases);
    assert_eq!(pool.counts(), (3, 0));
    assert_eq!(number(&pool), Ok(4));
    assert_eq!(pool.counts(), (1, 0));
}

#[test]
fn a_full_pool_waits_until_the_deadline() {
    let pool = pool(1);
    let busy = pool.run(Repeat::Safe, soon(), |_, _| {
        let now = Deadline::after(Duration::ZERO);
        Ok(pool.run(Repeat::Safe, now, |_, _| Ok(())))
    });
    let expected = NetError::PoolTimedOut {
        server: Numbers::default().peer(),
        size: Some(1),
        after: Duration::ZERO,
    };
    assert_eq!(busy, Ok(Err(Problem::Net(expected))));
    assert_eq!(pool.counts(), (1, 0));
}

#[test]
fn what_comes_too_late_costs_no_connection() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    let now = Deadline::after(Duration::ZERO);
    let late = pool.run::<()>(Repeat::Safe, now, |_, _| panic!("there is no time"));
    let expected = NetError::TimedOut {
        server: Numbers::default().peer(),
        after: Duration::ZERO,
    };
    assert_eq!(late, Err(Problem::Net(expected)));
    assert_eq!(pool.counts(), (1, 0));
    assert_eq!(number(&pool), Ok(1));
}

#[test]
fn a_failed_connect_gives_its_place_back() {
    let refuses = Numbers {
        refuses: true,
        ..Numbers::default()
    };
    let pool = Pool::new(refuses, limits(1));
    assert_eq!(number(&pool), Err(Problem::Refused));
    assert_eq!(number(&pool), Err(Problem::Refused));
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn a_panic_throws_the_connection_away_and_gives_its_place_back() {
    let pool = pool(1);
    let run = || pool.run::<()>(Repeat::Safe, soon(), |_, _| panic!("in an operation"));
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert_eq!(pool.counts(), (0, 0));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn many_threads_share_few_connections() {
    let pool = pool(3);
    let at_once = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let used = pool.run(Repeat::Safe, soon(), |_, _| {
                        let used = at_once.fetch_add(1, SeqCst) + 1;
                        thread::yield_now();
                        at_once.fetch_sub(1, SeqCst);
                        Ok(used)
                    });
                    assert!(used.is_ok_and(|used| used <= 3));
                }
            });
        }
    });
    let (idle, used) = pool.counts();
    assert!(idle <= 3 && used == 0, "{idle} idle, {used} used");
}

/// Waits until so many callers are in the queue.
fn until_waiting(pool: &Pool<Numbers>, callers: usize) {
    while pool.state().lock().waiting() < callers {
        thread::yield_now();
    }
}

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    const CALLERS: usize = 16;
    let pool = pool(1);
    let served = Mutex::new(Vec::new());
    let serve = |caller| {
        let used = pool.run(Repeat::Safe, soon(), |connection, _| {
            served.lock().push(caller);
            Ok(connection.0)
        });
        // The connection that was returned, and no other.
        assert_eq!(used, Ok(1));
    };
    thread::scope(|scope| {
        let serve = &serve;
        let first = pool.run(Repeat::Safe, soon(), |connection, _| {
            for caller in 0..CALLERS {
                scope.spawn(move || serve(caller));
                until_waiting(&pool, caller + 1);
            }
            Ok(connection.0)
        });
        assert_eq!(first, Ok(1));
        // The thread that returned the connection wants it again, and comes after those that wait.
        serve(CALLERS);
    });
    assert_eq!(*served.lock(), Vec::from_iter(0..=CALLERS));
}

#[test]
fn the_place_of_a_discarded_connection_goes_to_the_oldest_caller() {
    let pool = pool(1);
    thread::scope(|scope| {
        let failed = pool.run::<()>(Repeat::Never, soon(), |_, _| {
            scope.spawn(|| assert_eq!(number(&pool), Ok(2)));
            until_waiting(&pool, 1);
            Err(Problem::Failed(Disposition::Close))
        });
        assert!(failed.is_err());
    });
    assert_eq!(pool.counts(), (1, 0));
}

#[test]
fn a_caller_that_gives_up_leaves_the_queue() {
    let pool = pool(1);
    let lease = pool.lease(soon()).unwrap();
    for _ in 0..3 {
        assert!(pool.lease(Deadline::after(Duration::ZERO)).is_err());
    }
    assert_eq!(pool.state().lock().waiting(), 0);
    drop(lease);
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn a_permit_that_comes_at_the_last_moment_is_not_lost() {
    let mut state = State::<()>::default();
    assert!(matches!(state.enter(1), Turn::Now(None)));
    let Turn::Later(ticket) = state.enter(1) else {
        panic!("there is but one permit");
    };
    assert!(state.give_back(None).is_none());
    assert!(!state.leave(&ticket));
    assert!(matches!(ticket.handed.try_recv(), Ok(None)));
    assert_eq!(state.counts(), (0, 1));
}

#[test]
fn an_overload_is_not_blamed_on_the_server() {
    let pool = pool(1);
    let mut lease = pool.lease(soon()).unwrap();
    lease.fresh(soon()).unwrap();
    let late = lease.settle::<()>(Err(Problem::Failed(Disposition::Silent)));
    assert_eq!(late, Err(Problem::Failed(Disposition::Silent)));
    // As of a caller that waited for most of its time.
    lease.rushed = true;
    let late = lease.settle::<()>(Err(Problem::Failed(Disposition::Silent)));
    assert!(matches!(
        late,
        Err(Problem::Net(NetError::PoolTimedOut { .. }))
    ));
}

/// Opens connections 1 to `count`, which are idle then.
fn open(pool: &Pool<Numbers>, count: usize) {
    let mut leases: Vec<_> = (0..count).map(|_| pool.lease(soon()).unwrap()).collect();
    for lease in &mut leases {
        lease.fresh(soon()).unwrap();
        lease.end(Disposition::Reuse);
    }
}

#[test]
fn a_server_that_was_replaced_costs_no_operation() {
    let pool = pool(8);
    open(&pool, 8);
    let mut in_use = pool.lease(soon()).unwrap();
    in_use.end(Disposition::Reuse);
    // Whether or not it may be done twice: it was refused.
    let run = |repeat| {
        pool.run(repeat, soon(), |connection, _| match connection.0 {
            1..=8 => Err(Problem::Failed(Disposition::Replaced)),
            new => Ok(new),
        })
    };
    assert_eq!(run(Repeat::Never), Ok(9));
    assert_eq!(pool.counts(), (1, 1));
    // One that was in use meanwhile is closed when it is returned.
    drop(in_use);
    assert_eq!(pool.counts(), (1, 0));
    assert_eq!(run(Repeat::Safe), Ok(9));
}

#[test]
fn connections_stay_where_the_name_still_leads_to_the_same_server() {
    let pool = pool(8);
    open(&pool, 8);
    let refused = pool.run::<()>(Repeat::Safe, soon(), |_, _| {
        Err(Problem::Failed(Disposition::Replaced))
    });
    assert_eq!(refused, Err(Problem::Failed(Disposition::Replaced)));
    // All but the one that was replaced by a fresh one.
    assert_eq!(pool.counts(), (8, 0));
    assert_eq!(number(&pool), Ok(9));
}

#[test]
fn after_a_silence_the_next_operation_gets_a_fresh_connection() {
    let pool = pool(8);
    open(&pool, 8);
    let silent = fail(&pool, Repeat::Safe, 8, Disposition::Silent);
    assert_eq!(silent, Err(Problem::Failed(Disposition::Silent)));
    assert_eq!(pool.counts(), (0, 0));
    assert_eq!(number(&pool), Ok(9));
}

#[test]
fn a_retired_pool_opens_connections_anew() {
    let pool = pool(2);
    assert_eq!(number(&pool), Ok(1));
    pool.retire();
    assert_eq!(pool.counts(), (0, 0));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn connections_age() {
    let limits = Limits {
        pool_size: Some(64),
        max_connection_age: Some(Duration::from_secs(100)),
        ..Limits::default()
    };
    let pool = Pool::new(Numbers::default(), limits);
    open(&pool, 64);
    let fit_after = |passed| {
        *pool.connect.passed.lock() = Duration::from_secs(passed);
        let mut leases: Vec<_> = (0..64).map(|_| pool.lease(soon()).unwrap()).collect();
        let fit = leases.iter_mut().filter_map(Lease::pooled).count();
        leases
            .iter_mut()
            .for_each(|lease| lease.end(Disposition::Reuse));
        fit
    };
    assert_eq!(fit_after(74), 64);
    // They do not all end at once.
    let fit = fit_after(88);
    assert!((1..64).contains(&fit), "{fit}");
    assert_eq!(fit_after(100), 0);
    assert_eq!(number(&pool), Ok(65));
}

#[test]
fn connections_of_any_age_may_be_kept() {
    let limits = Limits {
        max_connection_age: None,
        ..limits(1)
    };
    let pool = Pool::new(Numbers::default(), limits);
    assert_eq!(number(&pool), Ok(1));
    *pool.connect.passed.lock() = Duration::from_secs(1 << 40);
    assert_eq!(number(&pool), Ok(1));
}
