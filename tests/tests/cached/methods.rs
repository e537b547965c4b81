//! Methods, with every kind of `self`.

use ctu_core::{Cache, LruCache, SpinCache, Text, cached};
use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, LazyLock},
};

type Numbers = SpinCache<LruCache<u32, u32, 8>>;

static SHARED: LazyLock<SpinCache<LruCache<(Text<8>, u32), u32, 8>>> =
    LazyLock::new(|| SpinCache::new(LruCache::new()));
static PLAIN: Numbers = SpinCache::new(LruCache::new());

struct Service<C> {
    name: &'static str,
    cache: C,
    runs: Cell<u32>,
}

impl<C: Cache<Key = u32, Value = u32>> Service<C> {
    fn new(name: &'static str, cache: C) -> Self {
        let runs = Cell::new(0);
        Self { name, cache, runs }
    }

    #[cached(cache: C = self.cache, prefix = "")]
    fn square(&self, number: u32) -> u32 {
        self.runs.set(self.runs.get() + 1);
        number * number
    }

    /// `self` is part of the key because it is asked for.
    #[cached(cache = SHARED, key = |number| (Text::try_from(self.name), *number).pair())]
    fn named(&self, number: u32) -> u32 {
        self.runs.set(self.runs.get() + 1);
        number + self.name.len() as u32
    }

    #[cached(cache: C = self.cache, prefix = "", only_some)]
    pub(crate) fn next(&mut self, number: u32) -> Option<u32> {
        self.runs.set(self.runs.get() + 1);
        (number > 0).then_some(number)
    }

    #[cached(cache: Numbers = PLAIN, method)]
    fn tripled(number: u32) -> u32 {
        3 * number
    }

    #[cached(cache: C = self.cache, prefix = "")]
    fn counted(self: Rc<Self>, number: u32) -> u32 {
        self.runs.set(self.runs.get() + 1);
        number + 1000
    }
}

trait Pair {
    type Made;
    fn pair(self) -> Self::Made;
}

impl<E> Pair for (Result<Text<8>, E>, u32) {
    type Made = (Text<8>, u32);
    fn pair(self) -> (Text<8>, u32) {
        (self.0.unwrap_or_default(), self.1)
    }
}

/// A trait with a method that is cached stays one of which there can be a `dyn`.
trait Doubling {
    fn cache(&self) -> &Numbers;

    #[cached(cache = self.cache())]
    fn doubled(&self, number: u32) -> u32 {
        2 * number
    }
}

impl Doubling for Numbers {
    fn cache(&self) -> &Numbers {
        self
    }
}

#[test]
fn provided_trait_method_is_cached() {
    let source = numbers();
    let dynamic: &dyn Doubling = &source;
    assert_eq!((dynamic.doubled(3), dynamic.doubled(3)), (6, 6));
    assert_eq!(dynamic.doubled_uncached(4), 8);
    assert!(source.doubled_cache_in(3).unwrap());
    assert_eq!(source.doubled_refresh(4), 8);
    assert!(source.doubled_cache_del(3).unwrap());
    assert_eq!(format!("{:?}", source.doubled_cache_key(4).unwrap()), "4");
    assert_eq!(source.len(), Ok(1));
}

fn numbers() -> Numbers {
    SpinCache::new(LruCache::new())
}

#[test]
fn cache_may_be_a_field() {
    let service = Service::new("a", numbers());
    assert_eq!((service.square(3), service.square(3)), (9, 9));
    assert_eq!(service.runs.get(), 1);
    assert_eq!(service.square_cache_in(3), Ok(true));
    assert_eq!(
        service.cache.get(&service.square_cache_key(3).unwrap()),
        Ok(Some(9))
    );
    assert_eq!(service.square_uncached(3), 9);
    assert_eq!(service.square_refresh(3), 9);
    assert_eq!(service.runs.get(), 3);
    assert_eq!(service.square_cache_del(3), Ok(true));
    assert_eq!(service.square_cache_in(3), Ok(false));
}

#[test]
fn self_is_in_the_key_on_request() {
    let (one, other) = (
        Service::new("one", numbers()),
        Service::new("other", numbers()),
    );
    assert_eq!((one.named(1), other.named(1)), (4, 6));
    assert_eq!((one.named(1), other.named(1)), (4, 6));
    assert_eq!((one.runs.get(), other.runs.get()), (1, 1));
    assert!(one.named_cache_del(1).unwrap());
    assert!(other.named_cache_in(1).unwrap());
}

#[test]
fn method_with_mut_self_is_cached() {
    let mut service = Service::new("a", numbers());
    assert_eq!((service.next(0), service.next(0)), (None, None));
    assert_eq!(service.runs.get(), 2);
    assert_eq!((service.next(5), service.next(5)), (Some(5), Some(5)));
    assert_eq!(service.runs.get(), 3);
    assert_eq!(service.next_cache_in(5), Ok(true));
    assert_eq!(service.next_refresh(5), Some(5));
    assert_eq!(service.next_cache_in(0), Ok(false));
}

#[test]
fn associated_functions_and_rc_self_are_cached() {
    assert_eq!(Service::<Numbers>::tripled(3), 9);
    assert_eq!(Service::<Numbers>::tripled_cache_in(3), Ok(true));
    let service = Rc::new(Service::new("a", numbers()));
    assert_eq!(service.clone().counted(3), 1003);
    assert_eq!(service.clone().counted(3), 1003);
    assert_eq!(service.runs.get(), 1);
    assert_eq!(service.counted_cache_in(3), Ok(true));
}

trait Source {
    fn cache(&self) -> &Numbers;

    /// A method that the trait provides has the same beside it.
    #[cached(cache: Numbers = self.cache())]
    fn provided(&self, number: u32) -> u32 {
        number + 1
    }

    fn required(&mut self, number: u32) -> Result<u32, String>;

    fn consumed(&self, text: String, pair: (u32, u32)) -> Option<u32>;
}

type Texts = SpinCache<LruCache<(String, (u32, u32)), u32, 4>>;

struct Local {
    cache: Numbers,
    texts: Texts,
    runs: u32,
}

impl Source for Local {
    fn cache(&self) -> &Numbers {
        &self.cache
    }

    #[cached(cache = self.cache, in_trait)]
    fn required(&mut self, number: u32) -> Result<u32, String> {
        self.runs += 1;
        if number == 0 {
            return Err("nothing".into());
        }
        let number = number.checked_add(1).ok_or("too large")?;
        Ok(number)
    }

    #[cached(cache = self.texts, in_trait)]
    fn consumed(&self, text: String, (a, mut b): (u32, u32)) -> Option<u32> {
        b += u32::try_from(text.into_bytes().len()).ok()?;
        Some(a + b)
    }
}

#[test]
fn methods_of_traits_are_cached() {
    let mut local = Local {
        cache: numbers(),
        texts: SpinCache::new(LruCache::new()),
        runs: 0,
    };
    assert_eq!((local.provided(1), local.provided(1)), (2, 2));
    assert_eq!(local.provided_cache_in(1), Ok(true));
    assert_eq!((local.required(5), local.required(5)), (Ok(6), Ok(6)));
    assert_eq!(local.runs, 1);
    assert_eq!(local.required(0), Err("nothing".into()));
    assert_eq!(local.required(u32::MAX), Err("too large".into()));
    assert_eq!(local.runs, 3);
    assert_eq!(local.consumed("abc".into(), (1, 2)), Some(6));
    assert_eq!(local.consumed("abc".into(), (1, 2)), Some(6));
    assert_eq!(local.texts.len(), Ok(1));
}

#[test]
fn threads_share_one_object() {
    struct Squares(Numbers);
    impl Squares {
        #[cached(cache = self.0)]
        fn square(self: &Arc<Self>, number: u32) -> u32 {
            number * number
        }
    }
    let squares = Arc::new(Squares(numbers()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope
                .spawn(|| (0..100).for_each(|n| assert_eq!(squares.square(n % 8), (n % 8).pow(2))));
        }
    });
    assert_eq!(squares.0.len(), Ok(8));
}
