use super::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

/// Numbers its connections from 1.
#[derive(Default)]
struct Numbers {
    opened: AtomicUsize,
    refuses: bool,
}

struct Numbered(usize, bool);

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Refused,
    Net(NetError),
    Failed(Fate),
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
    fn peer(&self) -> Peer {
        Peer::new("Numbers", &"home".into())
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

impl Failure for Problem {
    fn fate(&self) -> Fate {
        match self {
            Self::Failed(fate) => *fate,
            _ => Fate::Discard,
        }
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn pool(size: usize) -> Pool<Numbers> {
    Pool::new(Numbers::default(), size)
}

/// The number of the connection that an operation ran on.
fn number(pool: &Pool<Numbers>) -> Result<usize, Problem> {
    pool.run(Repeat::Safe, soon(), |connection, _| Ok(connection.0))
}

/// Runs an operation that fails on connection `bad` only.
fn fail(pool: &Pool<Numbers>, repeat: Repeat, bad: usize, fate: Fate) -> Result<usize, Problem> {
    pool.run(repeat, soon(), |connection, _| {
        if connection.0 == bad {
            Err(Problem::Failed(fate))
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
    let failed = fail(&pool, Repeat::Safe, 1, Fate::Keep);
    assert_eq!(failed, Err(Problem::Failed(Fate::Keep)));
    assert_eq!(number(&pool), Ok(1));
}

#[test]
fn a_dead_pooled_connection_costs_no_operation() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    assert_eq!(fail(&pool, Repeat::Safe, 1, Fate::Lost), Ok(2));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn what_is_not_safe_to_repeat_is_not_repeated() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    let failed = fail(&pool, Repeat::Never, 1, Fate::Lost);
    assert_eq!(failed, Err(Problem::Failed(Fate::Lost)));
    assert_eq!(number(&pool), Ok(2));
}

#[test]
fn a_fresh_connection_that_fails_is_not_tried_again() {
    let pool = pool(4);
    let failed = fail(&pool, Repeat::Safe, 1, Fate::Lost);
    assert_eq!(failed, Err(Problem::Failed(Fate::Lost)));
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn a_timeout_is_not_repeated_and_its_connection_is_thrown_away() {
    let pool = pool(4);
    assert_eq!(number(&pool), Ok(1));
    let failed = fail(&pool, Repeat::Safe, 1, Fate::Discard);
    assert_eq!(failed, Err(Problem::Failed(Fate::Discard)));
    assert_eq!(pool.counts(), (0, 0));
}

#[test]
fn connections_that_were_closed_meanwhile_are_passed_over() {
    let pool = pool(4);
    for _ in 0..3 {
        pool.state.lock().idle.push(Numbered(9, false));
    }
    assert_eq!(number(&pool), Ok(1));
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
        size: 1,
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
    let pool = Pool::new(refuses, 1);
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
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let used = pool.run(Repeat::Safe, soon(), |_, _| {
                        let used = at_once.fetch_add(1, SeqCst) + 1;
                        std::thread::yield_now();
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
