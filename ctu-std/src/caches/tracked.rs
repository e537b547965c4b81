//! Caches on a server that reports changed keys.

use ctu_core::{Mapped, Mapping, Observed};
use std::{fmt, rc::Rc, sync::Arc, sync::LazyLock, time::Duration};

/// A cache on a server that reports changed keys to its clients, such as Redis by `CLIENT TRACKING`.
///
/// [`TwoLevelBuilder::invalidation_bound`](crate::TwoLevelBuilder::invalidation_bound) takes it as the
/// second level. [`RedisCache`](crate::RedisCache) is one, and so is each mapping on it, such as
/// [`EncryptedCache`](crate::EncryptedCache). Memcached reports nothing, so `MemCached` is none.
///
/// # For implementers
/// A wrapper forwards both methods. It passes the key on as its inner cache gets it.
///
/// ```
/// use ctu_std::{EncryptedCache, RawRedisCache, RedisCache, Tracked};
/// let redis: RawRedisCache = RedisCache::builder("redis://127.0.0.1").raw().build()?;
/// let sealed = EncryptedCache::try_new(redis, [7; 32])?;
/// // The mark is that of the hashed key on the server.
/// assert_ne!(sealed.mark(b"key"), sealed.get_ref().mark(b"key"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the server of `{Self}` reports no changed keys",
    label = "not a cache with invalidations",
    note = "`RedisCache`, and mappings on it, are such caches; Memcached has no invalidations"
)]
pub trait Tracked {
    /// The borrowed form of a key.
    type Key: ?Sized;
    /// The type of the values.
    type Value;

    /// The mark of `key`: a hash of the key on the server. A [`TrackingConnection`] reports a changed
    /// key by the same mark. `None` for a key that has no form on the server.
    ///
    /// Two keys may have the same mark. A change of one of them then counts for both.
    fn mark(&self, key: &Self::Key) -> Option<u64>;

    /// The source of tracking connections.
    fn tracker(&self) -> Arc<dyn Tracker>;
}

/// Opens connections on which a server reports changed keys.
///
/// ```
/// use ctu_std::{TrackingConnection, TrackingError, TrackingMessage, Tracker};
/// use std::{collections::VecDeque, time::Duration};
///
/// /// A server of a test that reports one change.
/// struct OneChange;
///
/// impl Tracker for OneChange {
///     fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
///         Ok(Box::new(Messages(VecDeque::from([TrackingMessage::Changed(7)]))))
///     }
/// }
///
/// struct Messages(VecDeque<TrackingMessage>);
///
/// impl TrackingConnection for Messages {
///     fn ping(&mut self) -> Result<(), TrackingError> {
///         Ok(self.0.push_back(TrackingMessage::Pong))
///     }
///
///     fn receive(
///         &mut self,
///         _: Duration,
///         each: &mut dyn FnMut(TrackingMessage),
///     ) -> Result<(), TrackingError> {
///         Ok(self.0.drain(..).for_each(each))
///     }
/// }
///
/// let mut connection = OneChange.open()?;
/// connection.ping()?;
/// let mut messages = Vec::new();
/// connection.receive(Duration::ZERO, &mut |message| messages.push(message))?;
/// assert_eq!(messages, [TrackingMessage::Changed(7), TrackingMessage::Pong]);
/// # Ok::<(), TrackingError>(())
/// ```
pub trait Tracker: Send + Sync {
    /// Opens a connection and subscribes to the changes of all keys of the cache. On return the server
    /// has acknowledged the subscription.
    ///
    /// # Errors
    /// [`TrackingError::Refused`] if the server cannot report changes or does not allow it, and
    /// [`TrackingError::Lost`] if a later attempt may succeed.
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError>;

    /// The number of answers to this cache, so far, of servers that no open connection tracks, such as a
    /// new node of a cluster. Counted before the caller gets the answer. A first level does not keep an
    /// answer during which the number grew. By default there are none.
    fn unreported(&self) -> u64 {
        0
    }
}

/// A connection on which a server reports changed keys. Messages arrive in the order in which the
/// server sent them.
///
/// ```
/// use ctu_std::{TrackingConnection, TrackingError};
/// use std::time::Duration;
/// /// The number of messages that are there now.
/// fn pending(connection: &mut dyn TrackingConnection) -> Result<usize, TrackingError> {
///     let mut count = 0;
///     connection.receive(Duration::ZERO, &mut |_| count += 1)?;
///     Ok(count)
/// }
/// ```
pub trait TrackingConnection: Send {
    /// Sends a ping. The server answers each with [`TrackingMessage::Pong`].
    ///
    /// # Errors
    /// [`TrackingError`] if the connection is of no use any more.
    fn ping(&mut self) -> Result<(), TrackingError>;

    /// Waits up to `wait` for messages, and passes those that have arrived to `each`. An early return
    /// without a message is no error.
    ///
    /// # Errors
    /// [`TrackingError`] if the connection is of no use any more. Messages before the error have been
    /// passed on.
    fn receive(
        &mut self,
        wait: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), TrackingError>;
}

/// A message on a [`TrackingConnection`].
///
/// ```
/// use ctu_std::TrackingMessage;
/// /// The number of entries of a first level that a message outdates.
/// fn outdated(message: TrackingMessage, entries: usize) -> usize {
///     match message {
///         TrackingMessage::Changed(_) | TrackingMessage::TagChanged(_) => 1,
///         TrackingMessage::AllChanged => entries,
///         TrackingMessage::Pong => 0,
///     }
/// }
/// assert_eq!(outdated(TrackingMessage::AllChanged, 100), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackingMessage {
    /// The key with this [mark](Tracked::mark) was written, removed, evicted, or it expired.
    Changed(u64),
    /// The tag with this [mark](crate::Tags::tag_mark) was invalidated.
    TagChanged(u64),
    /// All keys may have changed: the server was flushed.
    AllChanged,
    /// The answer to a [ping](TrackingConnection::ping).
    Pong,
}

/// The reason why a server reports no changed keys. The text is one line and holds no key, value or
/// password.
///
/// ```
/// use ctu_std::TrackingError;
/// let error = TrackingError::Refused("unknown command 'CLIENT'".into());
/// assert_eq!(error.to_string(), "invalidations are refused: unknown command 'CLIENT'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackingError {
    /// The server, or a proxy in front of it, does not know the commands or does not allow them.
    Refused(String),
    /// The connection failed.
    Lost(String),
}

impl fmt::Display for TrackingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "invalidations are refused: {reason}"),
            Self::Lost(reason) => write!(f, "no tracking connection: {reason}"),
        }
    }
}

impl std::error::Error for TrackingError {}

macro_rules! forward_tracked {
    ($([$($generics:tt)*] $t:ty),* $(,)?) => {$(
        impl<$($generics)*> Tracked for $t {
            type Key = C::Key;
            type Value = C::Value;

            fn mark(&self, key: &C::Key) -> Option<u64> {
                (**self).mark(key)
            }

            fn tracker(&self) -> Arc<dyn Tracker> {
                (**self).tracker()
            }
        }
    )*};
}
forward_tracked!(
    [C: Tracked + ?Sized] &C,
    [C: Tracked + ?Sized] Box<C>,
    [C: Tracked + ?Sized] Rc<C>,
    [C: Tracked + ?Sized] Arc<C>,
    [C: Tracked] LazyLock<C>,
);

impl<C: Tracked, O> Tracked for Observed<C, O> {
    type Key = C::Key;
    type Value = C::Value;

    fn mark(&self, key: &C::Key) -> Option<u64> {
        self.get_ref().mark(key)
    }

    fn tracker(&self) -> Arc<dyn Tracker> {
        self.get_ref().tracker()
    }
}

/// The mark of a key is that of its inner key, also if the mapping hashes keys.
impl<C: Tracked, M: Mapping<C::Key, C::Value>> Tracked for Mapped<C, M> {
    type Key = M::Key;
    type Value = M::Value;

    fn mark(&self, key: &M::Key) -> Option<u64> {
        use std::borrow::Borrow;
        let at = self.mapping().at(key).ok()?;
        self.get_ref().mark(at.borrow())
    }

    fn tracker(&self) -> Arc<dyn Tracker> {
        self.get_ref().tracker()
    }
}
