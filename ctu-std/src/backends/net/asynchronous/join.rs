use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// Runs futures at the same time, and returns their results in the order of the futures.
pub(crate) async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures.map(|future| Err(Box::pin(future))).collect();
    poll_fn(|context| {
        // Each is polled at every wake: there are a few.
        let mut all = true;
        for one in &mut running {
            all &= poll(one, context);
        }
        match all {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    running.into_iter().filter_map(Result::ok).collect()
}

/// The result of a future, or the future.
type Running<F> = Result<<F as Future>::Output, Pin<Box<F>>>;

/// Whether the future has ended.
fn poll<F: Future>(running: &mut Running<F>, context: &mut Context<'_>) -> bool {
    if let Err(future) = running
        && let Poll::Ready(done) = future.as_mut().poll(context)
    {
        *running = Ok(done);
    }
    running.is_ok()
}
