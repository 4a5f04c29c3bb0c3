//! A bounded pool of threads that start when there is work and end when there is none.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::thread;

/// A worker that found nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(3);

/// What one thread of a pool keeps between its jobs.
type Worker<J> = Box<dyn FnMut(J)>;

/// Named threads over one queue, in order.
pub(super) struct Pool<J: Send + 'static> {
    inner: Arc<Inner<J>>,
}

struct Inner<J> {
    name: &'static str,
    state: Mutex<State<J>>,
    work: Condvar,
    /// A thread ended.
    ended: Condvar,
    make: Box<dyn Fn() -> Worker<J> + Send + Sync>,
}

struct State<J> {
    queue: VecDeque<J>,
    threads_max: usize,
    alive: usize,
    idle: usize,
    closed: bool,
    /// Somebody waits for the threads to end: none stays for a next job.
    draining: bool,
    /// Grows when what threads keep between jobs is worth nothing any more.
    generation: u64,
}

impl<J> Inner<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Send + 'static> Pool<J> {
    /// At most `threads_max` threads; `make` runs on each new one.
    pub(super) fn new(
        name: &'static str,
        threads_max: usize,
        make: impl Fn() -> Worker<J> + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            queue: VecDeque::new(),
            threads_max,
            alive: 0,
            idle: 0,
            closed: false,
            draining: false,
            generation: 0,
        };
        let (state, work, ended) = (Mutex::new(state), Condvar::new(), Condvar::new());
        Self { inner: Arc::new(Inner { name, state, work, ended, make: Box::new(make) }) }
    }

    /// Puts a job at the end of the queue.
    pub(super) fn submit(&self, job: J) {
        let mut state = self.inner.lock();
        if state.closed {
            return;
        }
        state.queue.push_back(job);
        if state.idle >= state.queue.len() {
            self.inner.work.notify_one();
        } else if state.alive < state.threads_max {
            // Without a new thread the job waits for an old one, or for the next job, which tries again.
            let spawned = thread::start(self.inner.name, self.inner.clone(), |inner| serve(&inner));
            state.alive += usize::from(spawned.is_ok());
        }
    }

    /// Changes the bound. Threads above it end as they become idle.
    pub(super) fn set_threads_max(&self, threads_max: usize) {
        self.inner.lock().threads_max = threads_max;
    }

    /// What threads keep between jobs is worth nothing any more: those without a job end now, the others make it anew for their next one.
    pub(super) fn renew(&self) {
        self.inner.lock().generation += 1;
        self.inner.work.notify_all();
    }

    /// The same, and waits until no thread lives, at most so long. `true`: none does.
    pub(super) fn drain(&self, timeout: Duration) -> bool {
        self.inner.lock().draining = true;
        self.renew();
        let left = |state: &mut State<J>| state.alive > 0;
        let state = self.inner.lock();
        let (mut state, _) =
            self.inner.ended.wait_timeout_while(state, timeout, left).unwrap_or_else(PoisonError::into_inner);
        state.draining = false;
        state.alive == 0
    }

    /// Drops what is queued; threads end after their job.
    pub(super) fn close(&self) {
        let mut state = self.inner.lock();
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        self.inner.work.notify_all();
        // A job may hold what a host gave, and to let go of that is the host's code: not under the lock.
        drop(queue);
    }

    /// Threads that live.
    pub(super) fn alive(&self) -> usize {
        self.inner.lock().alive
    }
}

impl<J: Send + 'static> Drop for Pool<J> {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve<J: Send + 'static>(inner: &Inner<J>) {
    let mut state = inner.lock();
    let mut generation = state.generation;
    drop(state);
    let mut worker = (inner.make)();
    state = inner.lock();
    loop {
        if let Some(job) = state.queue.pop_front() {
            let now = state.generation;
            drop(state);
            if std::mem::replace(&mut generation, now) != now {
                worker = (inner.make)();
            }
            // What a job breaks is answered by the job itself; the thread is not to be lost, or the pool shrinks for ever.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker(job))).is_err() {
                worker = (inner.make)();
            }
            state = inner.lock();
            continue;
        }
        let unwanted = state.closed || state.draining || state.alive > state.threads_max;
        if unwanted || state.generation != generation {
            break;
        }
        state.idle += 1;
        let (after, timeout) = inner.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        state = after;
        state.idle -= 1;
        if timeout.timed_out() && state.queue.is_empty() {
            break;
        }
    }
    // The worker's own things (connections) go before the thread counts as gone.
    drop(state);
    drop(worker);
    let mut state = inner.lock();
    state.alive -= 1;
    inner.ended.notify_all();
    // A job that came in between must not wait for the next one.
    if !state.queue.is_empty() && state.idle == 0 && state.alive < state.threads_max && !state.closed {
        state.alive += 1;
        drop(state);
        serve(inner);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use super::*;

    #[test]
    fn no_more_threads_than_allowed_and_none_at_first() {
        let (most, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (done, finished) = mpsc::channel();
        let (high, current) = (most.clone(), now.clone());
        let pool = Pool::new("test", 3, move || {
            let (high, current, done) = (high.clone(), current.clone(), done.clone());
            Box::new(move |job: u32| {
                high.fetch_max(current.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                current.fetch_sub(1, Ordering::SeqCst);
                done.send(job).expect("the test listens");
            })
        });
        assert_eq!(pool.alive(), 0);
        (0..100).for_each(|job| pool.submit(job));
        let mut jobs: Vec<u32> = finished.iter().take(100).collect();
        jobs.sort_unstable();
        assert_eq!(jobs, (0..100).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 3 && pool.alive() <= 3);
    }

    /// A job that came while the last worker let go of its own things was left lying: nobody was idle, and nobody new was started.
    #[test]
    fn a_job_that_comes_while_a_worker_ends_is_served() {
        struct Leaving(Arc<Mutex<Option<Pool<u32>>>>);
        impl Drop for Leaving {
            fn drop(&mut self) {
                if let Some(pool) = &*self.0.lock().expect("the pool") {
                    pool.set_threads_max(1);
                    pool.submit(2);
                }
            }
        }
        let (served, jobs) = mpsc::channel();
        let place = Arc::new(Mutex::new(None));
        let of = place.clone();
        let pool = Pool::new("test", 1, move || {
            let (leaving, served) = (Leaving(of.clone()), served.clone());
            Box::new(move |job: u32| {
                // From here on it is one thread too many, and ends.
                if let (1, Some(pool)) = (job, &*leaving.0.lock().expect("the pool")) {
                    pool.set_threads_max(0);
                }
                served.send(job).expect("the test listens");
            })
        });
        place.lock().expect("the pool").insert(pool).submit(1);
        let patience = Duration::from_secs(30);
        assert_eq!([jobs.recv_timeout(patience), jobs.recv_timeout(patience)], [Ok(1), Ok(2)]);
    }

    /// To let go of a job that was never begun is a host's code: it ran under the pool's lock.
    #[test]
    fn what_is_dropped_with_a_closed_pool_may_use_it() {
        struct Job(Arc<Mutex<Option<Pool<Job>>>>, mpsc::Sender<usize>);
        impl Drop for Job {
            fn drop(&mut self) {
                let alive = self.0.lock().expect("the pool").as_ref().map_or(0, |pool| pool.alive());
                let _ = self.1.send(alive);
            }
        }
        let (dropped, seen) = mpsc::channel();
        let place = Arc::new(Mutex::new(None));
        let pool = Pool::new("test", 0, || Box::new(|_: Job| ()));
        pool.submit(Job(place.clone(), dropped));
        // Of a pool that a job can reach: it hangs where it hangs, and not here.
        let inner = pool.inner.clone();
        *place.lock().expect("the pool") = Some(Pool { inner: inner.clone() });
        std::thread::spawn(move || pool.close());
        assert_eq!(seen.recv_timeout(Duration::from_secs(30)), Ok(0));
    }

    /// The system may refuse a thread; what was to be done there is done by the next one.
    #[test]
    fn a_job_that_got_no_thread_is_served_with_the_next() {
        let (served, jobs) = mpsc::channel();
        let pool = Pool::new("test", 1, move || {
            let served = served.clone();
            Box::new(move |job: u32| served.send(job).expect("the test listens"))
        });
        thread::refuse(1);
        pool.submit(1);
        assert_eq!(pool.alive(), 0);
        pool.submit(2);
        let patience = Duration::from_secs(30);
        assert_eq!([jobs.recv_timeout(patience), jobs.recv_timeout(patience)], [Ok(1), Ok(2)]);
    }

    #[test]
    fn what_a_thread_keeps_is_made_anew_or_goes() {
        let made = Arc::new(AtomicUsize::new(0));
        let (done, finished) = mpsc::channel();
        let count = made.clone();
        let pool = Pool::new("test", 1, move || {
            let mine = count.fetch_add(1, Ordering::SeqCst);
            let done = done.clone();
            Box::new(move |()| done.send(mine).expect("the test listens"))
        });
        let next = || {
            pool.submit(());
            finished.recv().expect("done")
        };
        assert_eq!((next(), next()), (0, 0));
        pool.renew();
        assert_eq!(next(), 1);
        assert!(pool.drain(Duration::from_secs(30)), "the thread ends without waiting to be idle");
        assert_eq!((pool.alive(), next()), (0, 2));
    }

    /// A worker that takes its job after the drain began stayed for the next one, three seconds long.
    #[test]
    fn a_job_that_comes_while_it_is_drained_holds_nothing_up() {
        let (begun, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (begin, wait) = (begun.clone(), go.clone());
        let pool = Arc::new(Pool::new("test", 1, move || {
            let (begin, wait) = (begin.clone(), wait.clone());
            Box::new(move |first: bool| {
                if first {
                    begin.wait();
                    wait.wait();
                }
            })
        }));
        pool.submit(true);
        begun.wait();
        let drained = std::thread::spawn({
            let pool = pool.clone();
            move || {
                let began = std::time::Instant::now();
                (pool.drain(Duration::from_secs(30)), began.elapsed())
            }
        });
        while !pool.inner.lock().draining {
            std::thread::yield_now();
        }
        pool.submit(false);
        go.wait();
        let (ended, took) = drained.join().expect("it ends");
        assert!(ended && took < IDLE / 2, "{took:?}");
    }

    #[test]
    fn jobs_run_beside_each_other() {
        let meet = Arc::new(Barrier::new(3));
        let others = meet.clone();
        let pool = Pool::new("test", 2, move || {
            let meet = others.clone();
            Box::new(move |()| {
                meet.wait();
            })
        });
        pool.submit(());
        pool.submit(());
        meet.wait();
    }
}
