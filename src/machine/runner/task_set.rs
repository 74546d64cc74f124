use std::collections::BTreeMap;

/// The running tasks: every task that was added is known until it ends, and after [`close`](TaskSet::close) none is
/// added.
///
/// `H` is what stops a task. It arrives a moment after the task was added, because the task must be started in between;
/// a task that was to be stopped in that moment is stopped as soon as its handle is there.
#[derive(Debug)]
pub(crate) struct TaskSet<N, H> {
    stage: TaskStage,
    next: u64,
    live: BTreeMap<u64, Worker<N, H>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TaskStage {
    Open,
    Closed,
    /// Every task that is still running is to stop.
    Dismissed,
}

#[derive(Debug)]
struct Worker<N, H> {
    notes: N,
    handle: Option<H>,
}

impl<N, H> TaskSet<N, H> {
    pub(crate) fn new() -> TaskSet<N, H> {
        TaskSet { stage: TaskStage::Open, next: 0, live: BTreeMap::new() }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.stage == TaskStage::Open
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Adds a task and returns its number; `None` if it is too late.
    pub(crate) fn add(&mut self, notes: N) -> Option<u64> {
        if !self.is_open() {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.live.insert(id, Worker { notes, handle: None });
        Some(id)
    }

    /// Keeps what stops task `id`. Returns it if the task was to be stopped in the meantime.
    #[must_use]
    pub(crate) fn attach(&mut self, id: u64, handle: H) -> Option<H> {
        if self.stage == TaskStage::Dismissed {
            return Some(handle);
        }
        if let Some(worker) = self.live.get_mut(&id) {
            worker.handle = Some(handle);
        }
        None
    }

    /// Task `id` has ended; `None` if it was no longer known.
    pub(crate) fn end(&mut self, id: u64) -> Option<N> {
        self.live.remove(&id).map(|worker| worker.notes)
    }

    /// Accepts no more tasks.
    pub(crate) fn close(&mut self) {
        if self.is_open() {
            self.stage = TaskStage::Closed;
        }
    }

    /// Accepts no more tasks, and returns what stops the running ones, in the order in which they were added.
    pub(crate) fn dismiss(&mut self) -> Vec<H> {
        self.stage = TaskStage::Dismissed;
        self.live.values_mut().filter_map(|worker| worker.handle.take()).collect()
    }

    /// Gives up on the tasks that are still running, and returns them in the order in which they were added.
    pub(crate) fn give_up(&mut self) -> Vec<(u64, N)> {
        std::mem::take(&mut self.live).into_iter().map(|(id, worker)| (id, worker.notes)).collect()
    }

    /// Task `id`, if it is running.
    pub(crate) fn get(&self, id: u64) -> Option<&N> {
        self.live.get(&id).map(|worker| &worker.notes)
    }

    /// The running tasks, in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &N> {
        self.live.values().map(|worker| &worker.notes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add,
        Seat(usize),
        End(usize),
        Close,
        Dismiss,
        GiveUp,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => Just(Step::Add),
            6 => any::<usize>().prop_map(Step::Seat),
            6 => any::<usize>().prop_map(Step::End),
            1 => Just(Step::Close),
            1 => Just(Step::Dismiss),
            1 => Just(Step::GiveUp),
        ];
        proptest::collection::vec(step, 0..60)
    }

    /// What became of each task, by its number.
    #[derive(Clone, Copy, Debug, Default)]
    struct TaskFate {
        seated: bool,
        stopped: bool,
        gone: bool,
    }

    proptest! {
        /// RN-01: every task that was added is known until it ends, none is added after the end began, and once all are
        /// to stop, each is stopped exactly once, whether its handle came before or after.
        #[test]
        fn as_the_model_says(steps in steps()) {
            let mut roster = TaskSet::<usize, usize>::new();
            let mut fates: Vec<TaskFate> = Vec::new();
            let (mut closed, mut dismissed) = (false, false);
            for step in steps {
                match step {
                    Step::Add => match roster.add(fates.len()) {
                        Some(id) => {
                            prop_assert!(!closed);
                            prop_assert_eq!(id as usize, fates.len());
                            fates.push(TaskFate::default());
                        }
                        None => prop_assert!(closed),
                    },
                    Step::Seat(pick) if !fates.is_empty() => {
                        let id = pick % fates.len();
                        if !fates[id].seated {
                            fates[id].seated = true;
                            let back = roster.attach(id as u64, id);
                            prop_assert_eq!(back, dismissed.then_some(id));
                            fates[id].stopped |= back.is_some();
                        }
                    }
                    Step::End(pick) if !fates.is_empty() => {
                        let id = pick % fates.len();
                        prop_assert_eq!(roster.end(id as u64), (!fates[id].gone).then_some(id));
                        fates[id].gone = true;
                    }
                    Step::Close => {
                        roster.close();
                        closed = true;
                    }
                    Step::Dismiss => {
                        (closed, dismissed) = (true, true);
                        for id in roster.dismiss() {
                            prop_assert!(fates[id].seated && !fates[id].gone && !fates[id].stopped);
                            fates[id].stopped = true;
                        }
                        prop_assert!(fates.iter().all(|fate| fate.gone || !fate.seated || fate.stopped));
                    }
                    Step::GiveUp => {
                        let here: Vec<_> = (0..fates.len()).filter(|id| !fates[*id].gone).collect();
                        prop_assert_eq!(roster.give_up(), here.iter().map(|id| (*id as u64, *id)).collect::<Vec<_>>());
                        fates.iter_mut().for_each(|fate| fate.gone = true);
                    }
                    Step::Seat(_) | Step::End(_) => {}
                }
                let here: Vec<_> = (0..fates.len()).filter(|id| !fates[*id].gone).collect();
                prop_assert_eq!(roster.iter().copied().collect::<Vec<_>>(), here.clone());
                prop_assert_eq!(roster.is_empty(), here.is_empty());
                prop_assert_eq!(roster.is_open(), !closed);
            }
        }
    }
}
