use std::fmt::{self, Display};
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::{ExtensionEvent, ExtensionMetric, Interest, Measure, Severity};
use seaworthy_store::ErrorClass;

use super::{Event, Why};

const LEADING: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_leading", "1 while this process leads, 0 while it does not");
const EPOCH: ExtensionMetric = ExtensionMetric::new("seaworthy_leader_epoch", "The epoch of this process's last term");
const TERMS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_terms_total", "Terms that ended, by how they did");
const RENEWALS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_renewals_total", "Renewals of leases, by their outcome");
const RENEW_SECONDS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_renew_seconds", "How long the store took to answer a renewal");
const DEADLINE: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_deadline_seconds", "Time left to the deadline when it was last looked at");
const STORE_DOWN: ExtensionMetric =
    ExtensionMetric::new("seaworthy_leader_store_down_seconds", "How long the store has not answered, 0 if it does");

impl ExtensionEvent for Event<'_> {
    fn component(&self) -> &'static str {
        "leader"
    }

    fn name(&self) -> Option<&Name> {
        match self {
            Event::Campaigning { name }
            | Event::Elected { name, .. }
            | Event::Renewed { name, .. }
            | Event::RenewFailed { name, .. }
            | Event::Told { name, .. }
            | Event::Released { name, .. }
            | Event::Expired { name, .. }
            | Event::EpochWentBack { name, .. }
            | Event::WorkStuck { name, .. }
            | Event::WorkFailed { name, .. }
            | Event::SingleThread { name } => Some(name),
            Event::StoreDown { .. } | Event::StillDown { .. } | Event::StoreUp { .. } => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Event::Campaigning { .. } => "campaigning",
            Event::Elected { .. } => "elected",
            Event::Renewed { .. } => "renewed",
            Event::RenewFailed { .. } => "renew_failed",
            Event::Told { .. } => "told",
            Event::Released { .. } => "released",
            Event::Expired { .. } => "expired",
            Event::EpochWentBack { .. } => "epoch_went_back",
            Event::StoreDown { .. } => "store_down",
            Event::StillDown { .. } => "still_down",
            Event::StoreUp { .. } => "store_up",
            Event::WorkStuck { .. } => "work_stuck",
            Event::WorkFailed { .. } => "work_failed",
            Event::SingleThread { .. } => "single_thread",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Renewed { .. } | Event::StillDown { .. } => Severity::Debug,
            Event::Campaigning { .. }
            | Event::Elected { .. }
            | Event::Released { .. }
            | Event::StoreUp { .. }
            | Event::Told { why: Why::Shutdown, .. } => Severity::Info,
            Event::RenewFailed { .. }
            | Event::Told { .. }
            | Event::Expired { .. }
            | Event::StoreDown { .. }
            | Event::WorkFailed { .. }
            | Event::SingleThread { .. } => Severity::Warn,
            Event::EpochWentBack { .. } | Event::WorkStuck { .. } => Severity::Error,
        }
    }

    fn interest(&self) -> Interest {
        match self {
            Event::Renewed { .. } | Event::StillDown { .. } => Interest::Calls,
            _ => Interest::Changes,
        }
    }

    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn Display)) {
        match self {
            Event::Campaigning { .. } | Event::SingleThread { .. } => {}
            Event::Elected { epoch, waited, .. } => {
                field("epoch", epoch);
                field("waited", &Span(*waited));
            }
            Event::Renewed { elapsed, left, .. } => {
                field("elapsed", &Span(*elapsed));
                field("left", &Span(*left));
            }
            Event::RenewFailed { class, left, .. } => {
                field("class", &class.map_or("locked", ErrorClass::as_str));
                field("left", &Span(*left));
            }
            Event::Told { epoch, why, .. } => {
                field("epoch", epoch);
                field("why", &why.as_str());
            }
            Event::Released { epoch, end, .. } => {
                field("epoch", epoch);
                field("end", &end.as_str());
            }
            Event::Expired { epoch, by, .. } => {
                field("epoch", epoch);
                field("by", &Span(*by));
            }
            Event::EpochWentBack { seen, got, .. } => {
                field("seen", seen);
                field("got", got);
            }
            Event::StoreDown { asked, class } => {
                field("asked", asked);
                field("class", class);
            }
            Event::StillDown { asked, class, down } => {
                field("asked", asked);
                field("class", class);
                field("down", &Span(*down));
            }
            Event::StoreUp { down } => field("down", &Span(*down)),
            Event::WorkStuck { epoch, since, .. } => {
                field("epoch", epoch);
                field("since", &Span(*since));
            }
            Event::WorkFailed { epoch, error, .. } => {
                field("epoch", epoch);
                field("error", error);
            }
        }
    }

    fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
        let Some(name) = ExtensionEvent::name(self).map(|name| ("name", name.as_str())) else {
            return match self {
                Event::StoreDown { .. } => measure(STORE_DOWN.level(&[], 0.0)),
                Event::StillDown { down, .. } => measure(STORE_DOWN.level(&[], down.as_secs_f64())),
                _ => measure(STORE_DOWN.level(&[], 0.0)),
            };
        };
        let renewals = |outcome| [name, ("outcome", outcome)];
        match self {
            Event::Elected { epoch, .. } => {
                measure(LEADING.level(&[name], 1.0));
                measure(EPOCH.level(&[name], epoch.get() as f64));
            }
            Event::Renewed { elapsed, left, .. } => {
                measure(RENEWALS.count(&renewals("renewed"), 1));
                measure(RENEW_SECONDS.time(&[name], *elapsed));
                measure(DEADLINE.level(&[name], left.as_secs_f64()));
            }
            Event::RenewFailed { left, .. } => {
                measure(RENEWALS.count(&renewals("failed"), 1));
                measure(DEADLINE.level(&[name], left.as_secs_f64()));
            }
            Event::Told { why, .. } => {
                measure(LEADING.level(&[name], 0.0));
                if *why == Why::Lost {
                    measure(RENEWALS.count(&renewals("lost"), 1));
                    measure(TERMS.count(&[name, ("end", "lost")], 1));
                    measure(DEADLINE.level(&[name], 0.0));
                }
            }
            Event::Released { end, .. } => {
                measure(LEADING.level(&[name], 0.0));
                measure(DEADLINE.level(&[name], 0.0));
                measure(TERMS.count(&[name, ("end", end.as_str())], 1));
            }
            Event::Expired { .. } => {
                measure(LEADING.level(&[name], 0.0));
                measure(DEADLINE.level(&[name], 0.0));
                measure(TERMS.count(&[name, ("end", "expired")], 1));
            }
            _ => {}
        }
    }
}

struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
