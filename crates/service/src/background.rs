//! Threads that do heavy work below the priority of the threads that serve.
//!
//! Jobs take turns in short steps, as processes do, so that a small one is not stuck behind a large one
//! and one that nobody waits for any more is dropped at its next turn.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// A job's next short step; false when it is finished or nobody waits for it.
type Step = Box<dyn FnMut() -> bool + Send>;

/// A fixed number of low-priority threads.
pub(super) struct Background {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Step>,
    closed: bool,
}

impl Background {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the system grants no thread.
    pub(super) fn start(threads: u16) -> io::Result<Self> {
        let background = Self { queue: Arc::default() };
        for _ in 0..threads {
            let queue = Arc::clone(&background.queue);
            thread::Builder::new().name("background".to_owned()).spawn(move || {
                lower_priority();
                while let Some(mut step) = queue.next() {
                    if step() {
                        queue.push(step);
                    }
                }
            })?;
        }
        Ok(background)
    }

    /// Runs `step` until it returns a value. Dropping the future ends the job at its next step.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        mut step: impl FnMut() -> Option<T> + Send + 'static,
    ) -> T {
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        self.queue.push(Box::new(move || {
            if sender.as_ref().is_none_or(oneshot::Sender::is_closed) {
                return false;
            }
            let Some(value) = step() else { return true };
            if let Some(sender) = sender.take() {
                // Nobody waits any more: the value is dropped here.
                let _ = sender.send(value);
            }
            false
        }));
        match receiver.await {
            Ok(value) => value,
            // The threads end only when the service is dropped, and nothing waits then.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, step: Step) {
        self.lock().waiting.push_back(step);
        self.changed.notify_one();
    }

    /// The next job's turn; nothing once the service has ended.
    fn next(&self) -> Option<Step> {
        let jobs = self.lock();
        let wait = |jobs: &mut Jobs| jobs.waiting.is_empty() && !jobs.closed;
        let mut jobs = self.changed.wait_while(jobs, wait).unwrap_or_else(PoisonError::into_inner);
        if jobs.closed { None } else { jobs.waiting.pop_front() }
    }
}

/// On Linux a thread has a nice value of its own: setpriority(2), "C library/kernel differences".
#[cfg(target_os = "linux")]
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "threads that burn CPU time run at normal priority");
    }
}

/// Elsewhere the nice value belongs to the whole process, which must stay quick.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}
