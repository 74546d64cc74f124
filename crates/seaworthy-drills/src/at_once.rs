use std::thread;

/// Runs one of these in each of so many threads, to the end of all. The first that has panicked panics here.
pub(crate) fn at_once<T: Send>(times: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let run = &run;
    let ended: Vec<thread::Result<T>> = thread::scope(|scope| {
        let all: Vec<_> = (0..times).map(|number| scope.spawn(move || run(number))).collect();
        all.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    ended.into_iter().map(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
}
