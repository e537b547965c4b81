//! Suggestions in place of an unknown option.

/// The options of `#[cached]`.
const OPTIONS: &[&str] = &[
    "cache",
    "prefix",
    "ttl",
    "key",
    "skip",
    "only_some",
    "single_flight",
    "on_error",
    "method",
    "in_trait",
    "blocking",
    "local",
    "crate",
];

/// The message for an unknown option. It names the equivalent of an option of the crate `cached`,
/// or the nearest option by spelling.
pub(crate) fn unknown_option(name: &str, alone: bool) -> String {
    let hint = match name {
        "size" | "max_size" | "unbound" | "ty" | "create" | "name" | "map_error" | "disk"
        | "redis" | "sync_lock" | "unsync_reads" => {
            "create the cache yourself: `cache = CACHE`, with a `static CACHE`".into()
        }
        "time" | "ttl_secs" | "ttl_millis" | "lifespan" | "timeout" | "expires" => {
            "write `ttl = Duration::from_secs(60)`".into()
        }
        "convert" | "key_expr" | "keys" => {
            "write `key = |first, second| ...`, with a reference to each argument".into()
        }
        "result" | "cache_err" | "with_cached_flag" => {
            "a function that returns a `Result` caches `Ok` only".into()
        }
        "option" | "cache_none" | "some" | "none" | "skip_none" => {
            "`None` is not cached if the cache holds the value of the `Option`; if the cache holds options, write `only_some`"
                .into()
        }
        "sync_writes" | "sync_writes_buckets" | "single" => "write `single_flight`".into(),
        "in_impl" => "write `method` if the function mentions neither `self` nor `Self`".into(),
        "refresh" | "time_refresh" | "force_refresh" => {
            "a hit does not prolong an entry; to replace one, call `f::refresh(..)`, or `x.f_refresh(..)` for a method"
                .into()
        }
        "error" | "on_failure" | "result_fallback" => {
            "write `on_error = return`, or `on_error = |error| ...`".into()
        }
        "async" => "an `async fn` needs no option".into(),
        _ => match nearest(name, OPTIONS) {
            Some(option) => format!("did you mean `{option}`?"),
            None if alone => {
                format!(
                    "to name the cache, write `cache = {name}`; the options are {}",
                    list(OPTIONS)
                )
            }
            None => format!("the options are {}", list(OPTIONS)),
        },
    };
    format!("`#[cached]` has no option `{name}`: {hint}")
}

/// Joins names in prose: `a`, `b` and `c`.
pub(crate) fn list<T: std::fmt::Display>(names: &[T]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "none".into(),
    }
}

/// The name with the smallest edit distance to `name`, if that distance is small.
pub(crate) fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let distances = names.iter().map(|other| (distance(name, other), *other));
    let (distance, nearest) = distances.min()?;
    (distance <= 1 + name.len() / 4).then_some(nearest)
}

/// The edit distance: the number of letters to change, insert or remove.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = changed.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}
