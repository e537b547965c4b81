//! The routes of both services.

use crate::{by_hand, pages};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::ETAG},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use std::{future::Future, sync::Arc};

/// The pages of a service. `None` is a failed request.
pub(crate) trait Pages: Send + Sync + 'static {
    /// The page with its version.
    fn get(&self, page: u32) -> impl Future<Output = Option<pages::Page>> + Send;

    /// Edits the page, and returns its new version.
    fn edit(&self, page: u32) -> impl Future<Output = Option<u64>> + Send;
}

impl Pages for pages::Pages {
    async fn get(&self, page: u32) -> Option<pages::Page> {
        self.get(page).await.ok()
    }

    async fn edit(&self, page: u32) -> Option<u64> {
        self.edit(page).await.ok()
    }
}

impl Pages for by_hand::Pages {
    async fn get(&self, page: u32) -> Option<pages::Page> {
        Some(self.get(page).await)
    }

    async fn edit(&self, page: u32) -> Option<u64> {
        Some(self.edit(page).await)
    }
}

/// `GET` and `PUT` of `/pages/N`, with the version in the header `etag`.
pub(crate) fn router<P: Pages>(pages: P) -> Router {
    Router::new()
        .route("/pages/{page}", get(page::<P>).put(edit::<P>))
        .with_state(Arc::new(pages))
}

async fn page<P: Pages>(State(pages): State<Arc<P>>, Path(page): Path<u32>) -> Response {
    match pages.get(page).await {
        Some(page) => {
            let etag = page.version.to_string();
            ([(ETAG, etag)], Html(page.html)).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn edit<P: Pages>(State(pages): State<Arc<P>>, Path(page): Path<u32>) -> Response {
    match pages.edit(page).await {
        Some(version) => ([(ETAG, version.to_string())], ()).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
