use super::{RedisError, request::Request};
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

    /// The first request of a connection; `None` if there is nothing to set. An error reply becomes
    /// [`RedisError::of_login`].
    pub(super) fn login(&self) -> Option<Request> {
        let mut request = Request::batch();
        match (&self.user, &self.password) {
            (Some(user), password) => {
                // A user without a password is not the default user: AUTH must still be sent.
                let password = password.as_deref().unwrap_or_default();
                request.add(&[b"AUTH", user.as_bytes(), password.as_bytes()]);
            }
            (None, Some(password)) => request.add(&[b"AUTH", password.as_bytes()]),
            (None, None) => {}
        }
        if let Some(name) = &self.client_name {
            request.add(&[b"CLIENT", b"SETNAME", name.as_bytes()]);
        }
        if self.database != 0 {
            request.add(&[b"SELECT", self.database.to_string().as_bytes()]);
        }
        (request.commands() > 0).then_some(request)
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
