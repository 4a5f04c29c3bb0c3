//! The sandbox's own interface.

mod calls;

use serde_json::json;

use crate::answer::Answer;
use crate::body::{Body, End};
use crate::exchange::Exchange;

/// Rules may carry bodies, hostile ones included.
const BODY_BYTES_MAX: usize = 16 << 20;

pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Answer, End> {
    let Some(bytes) = body.whole(BODY_BYTES_MAX).await? else { return Ok(refused(413, "the body is too long")) };
    let shared = exchange.shared.clone();
    let (method, path) = (exchange.head.method.clone(), exchange.head.path.clone());
    let since = exchange.head.param("since").and_then(|n| n.parse().ok()).unwrap_or(0);
    // Listing objects reads them.
    let called = tokio::task::spawn_blocking(move || {
        calls::call(&shared, &calls::Call { method: &method, path: &path, since, body: &bytes })
    });
    Ok(match called.await {
        Ok(Ok(answer)) => answer,
        Ok(Err((status, why))) => refused(status, &why),
        Err(_) => refused(500, "the call failed"),
    })
}

fn refused(status: u16, why: &str) -> Answer {
    Answer::json(status, &json!({ "error": why }))
}
