//! Threads that own something which only one may use at a time, as models are; the urgent goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

struct Queue<J> {
    urgent: VecDeque<J>,
    rest: VecDeque<J>,
    /// Threads that still work.
    alive: usize,
    /// Nobody will ask any more.
    closed: bool,
}

struct Shared<J> {
    queue: Mutex<Queue<J>>,
    more: Condvar,
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` once it is closed.
    fn next(&self) -> Option<J> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.urgent.pop_front() {
                return Some(job);
            }
            if let Some(job) = queue.rest.pop_front() {
                return Some(job);
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Takes a thread out of the count, also when its job panics: whoever waits for a job that nobody will do hears that it was dropped.
struct Alive<J>(Arc<Shared<J>>);

impl<J> Drop for Alive<J> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.alive -= 1;
        if queue.alive == 0 {
            queue.urgent.clear();
            queue.rest.clear();
        }
    }
}

/// A thread for each worker. Dropping it ends them after the job at hand.
pub struct Pool<J>(Arc<Shared<J>>);

impl<J: Send + 'static> Pool<J> {
    /// Starts a thread, called `name`, for each worker.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new<W: FnMut(J) + Send + 'static>(name: &str, workers: Vec<W>) -> std::io::Result<Self> {
        let queue = Queue { urgent: VecDeque::new(), rest: VecDeque::new(), alive: 0, closed: false };
        let pool = Self(Arc::new(Shared { queue: Mutex::new(queue), more: Condvar::new() }));
        for mut worker in workers {
            pool.0.lock().alive += 1;
            let alive = Alive(Arc::clone(&pool.0));
            Builder::new().name(name.to_owned()).spawn(move || {
                while let Some(job) = alive.0.next() {
                    worker(job);
                }
            })?;
        }
        Ok(pool)
    }

    /// Hands a job to the next thread that is free; `false` if all have ended.
    pub fn push(&self, job: J, urgent: bool) -> bool {
        let mut queue = self.0.lock();
        if queue.alive == 0 {
            return false;
        }
        if urgent {
            queue.urgent.push_back(job)
        } else {
            queue.rest.push_back(job)
        }
        drop(queue);
        self.0.more.notify_one();
        true
    }

    /// Jobs that no thread has taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let queue = self.0.lock();
        queue.urgent.len() + queue.rest.len()
    }
}

impl<J> Drop for Pool<J> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.more.notify_all();
    }
}
