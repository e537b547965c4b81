//! With a real server, with and without faults.

use ctu_std::{Cache, CacheError as _, PrefixedRedisCache, RedisCache, RedisError, cached};
use ctu_tests::servers::RedisServer;
use std::{cell::RefCell, time::Duration};

struct Pages {
    cache: RedisCache<(String, u32), String>,
    told: RefCell<Vec<RedisError>>,
}

impl Pages {
    fn on(server: &RedisServer) -> Self {
        let builder = RedisCache::builder(server.url()).deadline(Duration::from_secs(60));
        Self {
            cache: builder.build().unwrap(),
            told: RefCell::default(),
        }
    }

    #[cached(cache = self.cache, prefix = "", on_error = |error| self.told.borrow_mut().push(error.clone()))]
    fn page(&self, name: &str, number: u32) -> String {
        format!("{name} {number}")
    }

    #[cached(cache = self.cache, prefix = "", on_error = return)]
    fn strict(&self, name: &str, number: u32) -> Result<String, RedisError> {
        Ok(format!("{name} {number}"))
    }
}

#[test]
fn server_killed_between_calls_runs_the_function() {
    let mut server = RedisServer::start();
    let pages = Pages::on(&server);
    assert_eq!(pages.page("home", 1), "home 1");
    // `json_key` writes the arguments as a tuple.
    assert_eq!(
        server.cli(&["--raw", "get", r#"["home",1]"#]),
        r#""home 1""#
    );
    server.cli(&["set", r#"["home",1]"#, r#""cached""#]);
    assert_eq!(pages.page("home", 1), "cached");
    assert!(pages.told.borrow().is_empty());

    server.kill();
    assert_eq!(pages.page("home", 1), "home 1");
    assert_eq!(pages.told.borrow().len(), 1);
    assert!(pages.told.borrow()[0].is_outage());
    assert!(pages.strict("home", 1).is_err());
    assert!(pages.page_cache_in("home", 1).unwrap_err().is_outage());

    server.start_again();
    assert_eq!(pages.page("home", 2), "home 2");
    assert_eq!(pages.told.borrow().len(), 1);
    assert!(pages.page_cache_in("home", 2).unwrap());
    assert_eq!(pages.strict("home", 3), Ok("home 3".into()));
}

#[test]
fn text_keys_take_a_prefix() {
    #[cached(cache = cache, prefix = "", key = ctu_std::json_key, ttl = Duration::from_secs(100))]
    fn acme(cache: &PrefixedRedisCache<str, String>, what: &str, count: u32) -> String {
        what.repeat(count as usize)
    }

    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(Duration::from_secs(60));
    let cache = builder.prefix("acme.").build().unwrap();
    assert_eq!(acme(&cache, "é", 2), "éé");
    assert_eq!(
        server.cli(&["--raw", "get", r#"acme.["\u00e9",2]"#]),
        r#""\u00e9\u00e9""#
    );
    let ttl: i64 = server
        .cli(&["ttl", r#"acme.["\u00e9",2]"#])
        .parse()
        .unwrap();
    assert!((1..=100).contains(&ttl));
    assert_eq!(cache.len(), Ok(1));
}
