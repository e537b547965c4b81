use super::super::{RedisError, request::Request};
use crate::backends::net::Deadline;
use redis::{Cmd, Pipeline, RedisResult, Value, aio::ConnectionLike};
use std::{pin::Pin, sync::Arc};
use tokio::time::timeout_at;

/// An async connection of the `redis` crate.
#[derive(Clone)]
pub(in super::super) struct AsyncExternal(Arc<dyn Exchange>);

type Replies<'r> = Pin<Box<dyn Future<Output = RedisResult<Vec<Value>>> + Send + 'r>>;

trait Exchange: Send + Sync {
    fn exchange<'r>(&self, pipeline: &'r Pipeline) -> Replies<'r>;
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Exchange for C {
    fn exchange<'r>(&self, pipeline: &'r Pipeline) -> Replies<'r> {
        // Each operation has a handle of its own: one that is dropped leaves the others as they are.
        let mut connection = self.clone();
        Box::pin(async move {
            let count = pipeline.cmd_iter().count();
            connection.req_packed_commands(pipeline, 0, count).await
        })
    }
}

impl AsyncExternal {
    pub(in super::super) fn new(
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(connection))
    }

    /// Sends a request and returns the replies to its commands.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisError> {
        let mut pipeline = Pipeline::new();
        for arguments in request.split() {
            let mut command = Cmd::new();
            for argument in arguments {
                command.arg(argument);
            }
            pipeline.add_command(command);
        }
        let replies = timeout_at(deadline.at().into(), self.0.exchange(&pipeline)).await;
        let replies = replies.map_err(|_| RedisError::timed_out(server, deadline.total()))?;
        let replies =
            replies.map_err(|error| RedisError::external(&error, server, deadline.total()))?;
        match replies.len() == request.commands() {
            true => Ok(replies),
            false => Err(RedisError::protocol(server, "wrong number of replies")),
        }
    }
}
