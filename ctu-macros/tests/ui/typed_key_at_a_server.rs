//! Two functions with typed keys over one server would share entries.

use ctu_std::{RedisCache, cached};
use std::sync::LazyLock;

static USERS: LazyLock<RedisCache<u32, String>> =
    LazyLock::new(|| RedisCache::builder("redis://localhost").build().unwrap());

#[cached(cache = USERS)]
fn user_name(id: u32) -> String {
    format!("user {id}")
}

// On purpose.
#[cached(cache = USERS, prefix = "")]
fn order_title(id: u32) -> String {
    format!("order {id}")
}

fn main() {
    user_name(1);
    order_title(1);
}
