use std::time::Duration;

/// A metric that an [`ExtensionEvent`](super::ExtensionEvent) gives values to, beside those of this crate.
/// `MetricsObserver` shows it, and describes it when it is first given a value.
///
/// ```
/// use seaworthy::observe::{ExtensionEvent, ExtensionMetric, Interest, Measure, Severity};
/// use seaworthy::Name;
/// use std::time::Duration;
///
/// const TURNS: ExtensionMetric = ExtensionMetric::new("harbour_turns_total", "Turns that were taken, by outcome");
/// const TURN: ExtensionMetric = ExtensionMetric::new("harbour_turn_seconds", "How long turns took");
///
/// #[derive(Debug)]
/// struct Turn<'a> {
///     name: &'a Name,
///     elapsed: Duration,
/// }
///
/// impl ExtensionEvent for Turn<'_> {
///     fn component(&self) -> &'static str {
///         "harbour"
///     }
///
///     fn name(&self) -> Option<&Name> {
///         Some(self.name)
///     }
///
///     fn kind(&self) -> &'static str {
///         "turn"
///     }
///
///     fn severity(&self) -> Severity {
///         Severity::Debug
///     }
///
///     // It happens with every call: only for observers that want to hear of calls, which a log does not.
///     fn interest(&self) -> Interest {
///         Interest::Calls
///     }
///
///     fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
///         measure(TURNS.count(&[("name", self.name), ("outcome", "done")], 1));
///         measure(TURN.time(&[("name", self.name)], self.elapsed));
///     }
/// }
/// ```
///
/// Labels are those that are given, and no others. Give a metric the same labels each time, with few values: a series
/// stays for as long as the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionMetric {
    name: &'static str,
    help: &'static str,
}

impl ExtensionMetric {
    /// A metric of this name, with a sentence for those who look at a dashboard.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> ExtensionMetric {
        ExtensionMetric { name, help }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it shows, in words.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Adds `more` to a counter, whose name should end in `_total`. 0 makes the series appear.
    #[must_use]
    pub const fn count<'a>(self, labels: &'a [(&'static str, &'a str)], more: u64) -> Measure<'a> {
        Measure { metric: self, labels, value: MeasureValue::Count(more) }
    }

    /// Adds `by` to a gauge. What several handles and threads add is summed up, in whichever order it is told.
    #[must_use]
    pub const fn step<'a>(self, labels: &'a [(&'static str, &'a str)], by: i64) -> Measure<'a> {
        Measure { metric: self, labels, value: MeasureValue::Step(by) }
    }

    /// Sets a gauge, which shows what was told last. Not for one that is given [steps](Self::step), too.
    #[must_use]
    pub const fn level<'a>(self, labels: &'a [(&'static str, &'a str)], level: f64) -> Measure<'a> {
        Measure { metric: self, labels, value: MeasureValue::Level(level) }
    }

    /// Adds a time to a histogram, whose name should end in `_seconds`.
    #[must_use]
    pub const fn time<'a>(self, labels: &'a [(&'static str, &'a str)], time: Duration) -> Measure<'a> {
        Measure { metric: self, labels, value: MeasureValue::Time(time) }
    }
}

/// One value for one series, made by [`ExtensionMetric`].
#[derive(Clone, Copy, Debug)]
pub struct Measure<'a> {
    metric: ExtensionMetric,
    labels: &'a [(&'static str, &'a str)],
    value: MeasureValue,
}

impl<'a> Measure<'a> {
    /// What the value is of.
    #[must_use]
    pub const fn metric(&self) -> ExtensionMetric {
        self.metric
    }

    /// All labels of the series: names and values.
    #[must_use]
    pub const fn labels(&self) -> &'a [(&'static str, &'a str)] {
        self.labels
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> MeasureValue {
        self.value
    }
}

/// The value of a [`Measure`], and what kind of metric it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MeasureValue {
    /// So much more, for a counter.
    Count(u64),
    /// So much more or less, for a gauge.
    Step(i64),
    /// So much, for a gauge.
    Level(f64),
    /// So long, for a histogram in seconds.
    Time(Duration),
}
