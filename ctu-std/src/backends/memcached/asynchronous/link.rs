use super::super::{MemCachedError, answers::Answers, error::peer, link::Connector, requests};
use crate::backends::net::{AsyncConnect, AsyncStream, Deadline, Multiplexed, Peer};

impl AsyncConnect for Connector {
    type Parser = Answers;

    async fn connect(&self) -> Result<Multiplexed<Answers>, MemCachedError> {
        let deadline = Deadline::after(self.endpoint.dialer.deadline);
        let (server, total) = (&self.server, deadline.total());
        let stream = AsyncStream::connect(&self.endpoint, deadline).await;
        let stream = stream.map_err(|error| MemCachedError::connecting(server, total, &error))?;
        let answers = Answers::new(server, self.max_value);
        Ok(Multiplexed::start(stream, answers, peer(server)))
    }

    async fn probe(&self, link: &Multiplexed<Answers>, deadline: Deadline) -> bool {
        let version = requests::version();
        let answer = link.call(&version.bytes, version.expected, deadline).await;
        answer.is_ok_and(|answer| version.decode(answer).is_some())
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}
