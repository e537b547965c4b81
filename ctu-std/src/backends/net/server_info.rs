/// A server, and its information about itself. From `RedisCache::info` and `MemCached::info`.
///
/// ```
/// use ctu_std::ServerInfo;
/// /// The version of a Redis server.
/// fn version(info: &ServerInfo) -> Option<&str> {
///     info.get("redis_version")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ServerInfo {
    /// The host and port, or the path of the socket.
    pub server: String,
    /// Pairs of a name and a value, in the order of the server.
    pub fields: Vec<(String, String)>,
}

impl ServerInfo {
    /// The value of the field `name`, if the server has it. Takes a time linear in the number of
    /// fields.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str())
    }
}
