/// How many results of one kind in a row change the verdict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    /// Of failures, to be down.
    pub(crate) failures: u32,
    /// Of successes, to be up again.
    pub(crate) successes: u32,
}

/// Says up or down without wavering: it takes a run of contrary results to change its mind. It starts as up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Streak {
    down: bool,
    /// How many results in a row contradict it.
    against: u32,
}

impl Streak {
    /// Takes a result, and returns whether it is up.
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

    /// SO-10: it takes a whole run to change the verdict, and a result in between starts the run over.
    #[test]
    fn a_row_against_it() {
        assert_eq!(said("+-+--+", 1, 1), "+-+--+");
        assert_eq!(said("--+-----+", 3, 1), "+++++---+");
        assert_eq!(said("-+-++--++-", 1, 2), "----+---+-");
        assert_eq!(said("--------", u32::MAX, 1), "++++++++");
    }
}
