//! The service by hand: `moka::future` in front of `redis`, as a careful program combines them.
//!
//! Every request to Redis has the same deadline as in the other service. A failed one is ignored: the page
//! comes from the source, and the service goes on.

use crate::pages::{CAPACITY, Page, Source};
use moka::future::Cache;
use redis::{
    AsyncCommands, Client, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{sync::Arc, time::Duration};

const DEADLINE: Duration = Duration::from_millis(100);

/// All pages.
pub(crate) struct Pages {
    memory: Cache<u32, Page>,
    redis: ConnectionManager,
    source: Arc<Source>,
}

impl Pages {
    /// Pages behind moka and the server at `redis`.
    ///
    /// # Errors
    /// An invalid address, or no server there.
    pub(crate) async fn new(redis: &str) -> Result<Self, RedisError> {
        let deadlines = ConnectionManagerConfig::new()
            .set_response_timeout(Some(DEADLINE))
            .set_connection_timeout(Some(DEADLINE));
        let client = Client::open(redis)?;
        Ok(Self {
            memory: Cache::builder()
                .max_capacity(CAPACITY as u64)
                .time_to_live(Duration::from_secs(10))
                .build(),
            redis: ConnectionManager::new_with_config(client, deadlines).await?,
            source: Arc::new(Source::new()),
        })
    }

    /// The page from memory, Redis or the source: computed once among all callers.
    pub(crate) async fn get(&self, page: u32) -> Page {
        let load = async {
            let (mut redis, key) = (self.redis.clone(), key(page));
            let found: RedisResult<Option<String>> = redis.get(&key).await;
            let found = found.ok().flatten();
            if let Some(page) = found.and_then(|text| serde_json::from_str(&text).ok()) {
                return page;
            }
            let page = self.source.render(page).await;
            let text = serde_json::to_string(&page).expect("JSON");
            let _: RedisResult<()> = redis.set_ex(key, text, 60).await;
            page
        };
        self.memory.get_with(page, load).await
    }

    /// Edits the page.
    pub(crate) async fn edit(&self, page: u32) -> u64 {
        let version = self.source.edit(page);
        let _: RedisResult<()> = self.redis.clone().del(key(page)).await;
        self.memory.invalidate(&page).await;
        version
    }
}

fn key(page: u32) -> String {
    format!("pages.v1.{page}")
}
