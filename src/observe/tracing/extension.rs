use std::fmt::{self, Display};

use tracing::field;

use crate::error::one_line::OneLine;
use crate::observe::event::{ExtensionEvent, Severity};

pub(super) fn log(event: &dyn ExtensionEvent) {
    macro_rules! log_at {
        ($level:ident) => {
            tracing::$level!(
                target: "seaworthy::extension",
                component = event.component(),
                name = event.name().map(OneLine).map(field::display),
                kind = event.kind(),
                fields = %OneLine(Fields(event)),
                "event"
            )
        };
    }
    match event.severity() {
        Severity::Debug => log_at!(debug),
        Severity::Info => log_at!(info),
        Severity::Warn => log_at!(warn),
        Severity::Error => log_at!(error),
    }
}

/// `name=value` for each field, because `tracing` must know the names of its own fields at compile time.
struct Fields<'a>(&'a dyn ExtensionEvent);

impl Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut result, mut space) = (Ok(()), "");
        self.0.fields(&mut |name, value| {
            if result.is_ok() {
                result = write!(f, "{space}{name}={value}");
                space = " ";
            }
        });
        result
    }
}
