/// A server, by host and port or path, and its information about itself: pairs of a name and a value, in
/// its order. From `RedisCache::info` and `MemCached::info`.
pub type ServerInfo = (String, Vec<(String, String)>);
