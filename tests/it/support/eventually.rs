//! Waits for what another program will do in its own time.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

/// Asks until there is an answer, and returns it; panics with the last "not yet" after `limit`.
pub(crate) async fn eventually<T>(limit: Duration, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    let mut not_yet = "it was not asked".to_owned();
    loop {
        match timeout_at(deadline.into(), ask()).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(why)) => not_yet = why,
            Err(_) => panic!("not within {limit:?}: {not_yet}"),
        }
        // Between questions: it is the condition that is waited for, this only spares the one who is asked.
        sleep(Duration::from_millis(100)).await;
    }
}
