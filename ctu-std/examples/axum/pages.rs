//! The pages: a source that takes time, behind two levels.

use ctu_std::{
    AsyncCache, AsyncPrefixedRedisCache, CoarseClock, ConcurrentCache, IsAsync, RedisCache,
    RedisError, TwoLevelCache,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

/// The number of pages.
pub(crate) const PAGES: u32 = 2_000;
/// The capacity of the first level.
pub(crate) const CAPACITY: usize = 500;
/// The time that the source takes for a page.
pub(crate) const RENDER_TIME: Duration = Duration::from_millis(20);

/// A rendered page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    /// The number of edits.
    pub(crate) version: u64,
    pub(crate) html: String,
}

type First = ConcurrentCache<u32, Page, CoarseClock>;
type Second = AsyncPrefixedRedisCache<u32, Page>;

/// All pages.
pub(crate) struct Pages {
    pub(crate) cache: TwoLevelCache<First, Second, IsAsync>,
    pub(crate) source: Arc<Source>,
}

impl Pages {
    /// Pages behind a first level in memory and a second level at `redis`.
    ///
    /// # Errors
    /// An invalid address.
    pub(crate) fn new(redis: &str) -> Result<Self, RedisError> {
        let first =
            ConcurrentCache::with_ttl(CAPACITY, Duration::from_secs(10), CoarseClock::new());
        let second = RedisCache::builder(redis)
            .prefix("pages.v1.")
            .ttl(Duration::from_secs(60))
            // A stopped server costs a request this much, until the breaker opens.
            .deadline(Duration::from_millis(100))
            .connect_deadline(Duration::from_millis(100))
            .build_async()?;
        let cache = TwoLevelCache::builder(first, second)
            .name("pages")
            .resilient()
            // Short, so that the recovery is over soon after the server is back.
            .open_for(Duration::from_millis(500), Duration::from_secs(2))
            .settle_time(Duration::from_secs(1))
            .grace(Duration::from_secs(60), 1_000)
            .soft_limit(Duration::from_millis(50))
            .hard_limit(Duration::from_secs(5))
            .jitter(0.2)
            .build();
        let source = Arc::new(Source::new());
        Ok(Self { cache, source })
    }

    /// The page from memory, Redis or the source.
    pub(crate) async fn get(&self, page: u32) -> Result<Page, impl Display + use<>> {
        let source = Arc::clone(&self.source);
        let render = move || {
            let source = Arc::clone(&source);
            async move { source.render(page).await }
        };
        self.cache.get_or_spawn_with(&page, render).await
    }

    /// Edits the page. Later readers get this version or a later one.
    pub(crate) async fn edit(&self, page: u32) -> Result<u64, impl Display + use<>> {
        let version = self.source.edit(page);
        self.cache.remove(&page).await.map(|_| version)
    }

    /// Replays the writes that Redis missed, for at most a second: the journal ends with the program.
    pub(crate) async fn replay_journal(&self) {
        let replay = async {
            while let Some(wait) = self.cache.recover().await {
                tokio::time::sleep(wait).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(1), replay)
            .await
            .is_err()
        {
            let keys = self.cache.stats().journal;
            tracing::warn!(
                keys,
                "the journal is not empty: Redis has old pages until they expire"
            );
        }
    }
}

/// The source of pages: slow, and always right.
pub(crate) struct Source {
    versions: Vec<AtomicU64>,
    rendered: AtomicU64,
}

impl Source {
    /// All pages in their first version.
    pub(crate) fn new() -> Self {
        Self {
            versions: (0..PAGES).map(|_| AtomicU64::new(1)).collect(),
            rendered: AtomicU64::new(0),
        }
    }

    /// The number of rendered pages.
    pub(crate) fn rendered(&self) -> u64 {
        self.rendered.load(SeqCst)
    }

    /// Edits the page, and returns its version.
    pub(crate) fn edit(&self, page: u32) -> u64 {
        self.versions[page as usize].fetch_add(1, SeqCst) + 1
    }

    /// Renders the newest version of the page.
    pub(crate) async fn render(&self, page: u32) -> Page {
        let version = self.versions[page as usize].load(SeqCst);
        tokio::time::sleep(RENDER_TIME).await;
        self.rendered.fetch_add(1, SeqCst);
        Page {
            version,
            html: format!(
                "<!doctype html><html lang=\"en\"><title>Page {page}</title>\
                 <h1>Page {page}</h1><p>Version {version}</p></html>"
            ),
        }
    }
}
