use std::collections::BTreeMap;

/// The waiters, in order of arrival. Each has a number that is never reused, so a waiter that can no longer be found
/// has been served.
#[derive(Debug)]
pub(crate) struct WaitQueue<W> {
    last: u64,
    waiting: BTreeMap<u64, W>,
}

impl<W> WaitQueue<W> {
    pub(crate) fn new() -> WaitQueue<W> {
        WaitQueue { last: 0, waiting: BTreeMap::new() }
    }

    /// Adds a waiter at the end and returns its number, which is never 0.
    pub(crate) fn join(&mut self, who: W) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, who);
        self.last
    }

    /// The waiter with this number, if it is still waiting.
    pub(crate) fn find(&mut self, number: u64) -> Option<&mut W> {
        self.waiting.get_mut(&number)
    }

    /// Removes a waiter, if it is still waiting.
    pub(crate) fn leave(&mut self, number: u64) -> Option<W> {
        self.waiting.remove(&number)
    }

    /// Serves the first waiter.
    pub(crate) fn serve(&mut self) -> Option<W> {
        self.waiting.pop_first().map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_in_order_and_knows_who_was_served() {
        let mut queue = WaitQueue::new();
        let numbers = ['a', 'b', 'c', 'd'].map(|who| queue.join(who));
        assert_eq!(queue.leave(numbers[1]), Some('b'));
        assert_eq!(queue.leave(numbers[1]), None);
        assert_eq!(queue.serve(), Some('a'));
        assert_eq!(queue.find(numbers[0]), None);
        assert_eq!(queue.find(numbers[2]), Some(&mut 'c'));
        let again = queue.join('e');
        assert!(again != 0 && !numbers.contains(&again));
        assert_eq!([(); 4].map(|()| queue.serve()), [Some('c'), Some('d'), Some('e'), None]);
    }
}
