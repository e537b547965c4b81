use super::RedisError;
use crate::backends::net::Endpoint;
use std::fmt;

/// How to reach a server, and as which user.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
    /// The name of each connection in the server's list of clients.
    pub(super) client_name: Option<String>,
}

impl Settings {
    /// [`RedisError::Url`] for settings that contradict each other or that a server refuses.
    pub(super) fn check(&self) -> Result<(), RedisError> {
        let mut name = self.client_name.iter().flat_map(|name| name.bytes());
        if !name.all(|byte| byte.is_ascii_graphic()) {
            let fault = "client_name has printable ASCII characters and no blank";
            return Err(RedisError::Url(fault.into()));
        }
        self.endpoint.check().map_err(RedisError::Url)
    }
}

impl fmt::Debug for Settings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.endpoint.address)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
