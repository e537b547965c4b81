use super::{ConnectionError, NetError};

/// Parses the replies of one server out of the bytes that arrive.
///
/// It performs no I/O: a driver reads into [`room`](Self::room), reports by [`filled`](Self::filled)
/// and asks for the [`next`](Self::next) reply. After an error whose
/// [disposition](ConnectionError::disposition) is not `Reuse` the connection is of no use any more.
pub(crate) trait Parser {
    /// The number, the form and the limits of the replies to one request.
    type Expected;
    /// All replies to one request.
    type Reply;
    /// The error of a reply.
    type Error: ConnectionError + From<NetError>;

    /// The place of the bytes that arrive next. It is not empty.
    fn room(&mut self) -> &mut [u8];

    /// Takes in that the first `len` bytes of [`room`](Self::room) have arrived.
    fn filled(&mut self, len: usize);

    /// The replies to the oldest request without them, which `expected` describes. `None` as long as
    /// they have not arrived.
    fn next(&mut self, expected: &Self::Expected) -> Result<Option<Self::Reply>, Self::Error>;

    /// Whether every byte that arrived belongs to a reply that was returned.
    fn is_drained(&self) -> bool;

    /// The bytes of the values in `reply`.
    #[cfg(feature = "tokio")]
    fn size(reply: &Self::Reply) -> usize;

    /// The error that a server sends without a request before it closes the connection, if the bytes that
    /// arrived are one.
    #[cfg(feature = "tokio")]
    fn farewell(&mut self) -> Option<Self::Error>;
}
