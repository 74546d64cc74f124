/// How many results of one kind in a row change what is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    /// Of failures, to be down.
    pub(crate) failures: u32,
    /// Of successes, to be up again.
    pub(crate) successes: u32,
}

/// Says up or down, and does not waver: it takes a row of results against it to change its mind. It begins with up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Streak {
    down: bool,
    /// So many results in a row speak against it.
    against: u32,
}

impl Streak {
    /// Takes a result, and says whether it is up.
    pub(crate) fn settle(&mut self, up: bool, thresholds: Thresholds) -> bool {
        if up != self.down {
            // It agrees.
            self.against = 0;
            return up;
        }
        self.against = self.against.saturating_add(1);
        if self.against >= if self.down { thresholds.successes } else { thresholds.failures } {
            (self.down, self.against) = (!self.down, 0);
        }
        !self.down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(results: &str, failures: u32, successes: u32) -> String {
        let (mut streak, thresholds) = (Streak::default(), Thresholds { failures, successes });
        let say = |up| if streak.settle(up, thresholds) { '+' } else { '-' };
        results.chars().map(|result| result == '+').map(say).collect()
    }

    /// SO-10: it takes a whole row to change what is said, and what is between begins anew.
    #[test]
    fn a_row_against_it() {
        assert_eq!(said("+-+--+", 1, 1), "+-+--+");
        assert_eq!(said("--+-----+", 3, 1), "+++++---+");
        assert_eq!(said("-+-++--++-", 1, 2), "----+---+-");
        assert_eq!(said("--------", u32::MAX, 1), "++++++++");
    }
}
