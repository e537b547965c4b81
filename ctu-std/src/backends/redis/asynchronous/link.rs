use super::super::{
    RedisError, error::peer, reply::Reply, request::Request, resp::Replies, sentinel::Sentinel,
    settings::Settings,
};
use crate::backends::net::{AsyncConnect, AsyncStream, Deadline, Multiplexed, Peer};
use std::sync::Arc;

/// The origin of connections.
pub(in super::super) enum AsyncSource {
    Server(Box<Settings>),
    /// The master that sentinels name.
    Sentinel(Box<Sentinel>),
}

/// Opens connections to one server.
pub(in super::super) struct AsyncConnector {
    pub(in super::super) source: AsyncSource,
    pub(in super::super) server: Arc<str>,
}

impl AsyncConnect for AsyncConnector {
    type Parser = Replies;

    async fn connect(&self) -> Result<Multiplexed<Replies>, RedisError> {
        match &self.source {
            AsyncSource::Server(settings) => {
                let deadline = Deadline::after(settings.endpoint.dialer.deadline);
                open(settings, &self.server, deadline).await
            }
            AsyncSource::Sentinel(sentinel) => sentinel.open_async(&self.server).await,
        }
    }

    async fn probe(&self, link: &Multiplexed<Replies>, deadline: Deadline) -> bool {
        let ping = Request::of(&[b"PING"]);
        let reply = exchange(link, &ping, &self.server, deadline).await;
        // A user without the right to PING gets a reply as well.
        matches!(reply, Ok(_) | Err(RedisError::Denied { .. }))
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}

/// Opens a connection and logs in, in one round trip.
pub(in super::super) async fn open(
    settings: &Settings,
    server: &Arc<str>,
    deadline: Deadline,
) -> Result<Multiplexed<Replies>, RedisError> {
    let deadline = deadline.at_most(settings.endpoint.dialer.deadline);
    let stream = AsyncStream::connect(&settings.endpoint, deadline).await;
    let stream =
        stream.map_err(|error| RedisError::connecting(server, deadline.total(), &error))?;
    let link = Multiplexed::start(stream, Replies::new(server), peer(server));
    if let Some(login) = settings.login() {
        let reply = exchange(&link, &login, server, deadline).await;
        reply.map_err(|error| error.of_login(server))?;
    }
    Ok(link)
}

/// Sends a request and reads its replies. The first reply that is an error is the error.
pub(in super::super) async fn exchange(
    link: &Multiplexed<Replies>,
    request: &Request,
    server: &Arc<str>,
    deadline: Deadline,
) -> Result<Reply, RedisError> {
    let replies = link.call(request.bytes(), request.expected(), deadline);
    let replies = replies.await.map_err(|error| link.error(error))?;
    Reply::new(replies, server)
}
