use std::sync::Arc;
use std::time::Duration;

use seaworthy::observe::Notifier;
use seaworthy::{ConfigError, Name, Observer};

use crate::held::HeldKeys;
use crate::ledger::{Ledger, Shared};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::store::LedgerStore;

/// Settings of a [`Ledger`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct LedgerBuilder<S> {
    name: Name,
    store: S,
    settings: Settings,
    notifier: Notifier,
    flaw: Option<ConfigError>,
}

impl<S: LedgerStore> LedgerBuilder<S> {
    pub(crate) fn new(name: Name, store: S) -> LedgerBuilder<S> {
        LedgerBuilder { name, store, settings: Settings::default(), notifier: Notifier::default(), flaw: None }
    }

    /// How long a claim is its holder's without a renewal. Default 60 s; 1 s to 24 h. It is how long a key is taken
    /// after its holder died; a claim that is [held](crate::Claim::hold) is renewed every third of it.
    pub fn lease(mut self, lease: Duration) -> LedgerBuilder<S> {
        self.settings.lease = lease;
        self
    }

    /// How long each request to the store may take. Default 5 s; at least 50 ms, and shorter than a third of the lease.
    pub fn request_timeout(mut self, limit: Duration) -> LedgerBuilder<S> {
        self.settings.request_timeout = limit;
        self
    }

    /// How long what is done or has failed is known. Default 7 days; longer than the lease, at most 10 years.
    pub fn keep(mut self, span: Duration) -> LedgerBuilder<S> {
        self.settings.keep = Some(span);
        self
    }

    /// Keeps what is done or has failed for ever.
    pub fn keep_forever(mut self) -> LedgerBuilder<S> {
        self.settings.keep = None;
        self
    }

    /// The largest result, in bytes. Default 64 KiB; 1 byte to 16 MiB. The result of a step is held to it, too.
    pub fn max_result(mut self, bytes: usize) -> LedgerBuilder<S> {
        self.settings.max_result = bytes;
        self
    }

    /// Reports to this observer, in place of the default.
    pub fn observer(mut self, observer: impl Observer + 'static) -> LedgerBuilder<S> {
        self.notifier = Notifier::new(observer);
        self
    }

    /// The ledger.
    ///
    /// # Errors
    /// If a setting cannot be used; the error says which, its value, and the rule.
    pub fn build(self) -> Result<Ledger<S>, ConfigError> {
        let named = |error: ConfigError| error.with_name(self.name.clone());
        if self.name.is_empty() {
            return Err(ConfigError::new("ledger", "name", &*self.name, "must not be empty"));
        }
        self.flaw.map_or(Ok(()), Err).and_then(|()| self.settings.check()).map_err(named)?;
        Ok(Ledger(Arc::new(Shared {
            name: self.name,
            store: self.store,
            settings: self.settings,
            notifier: self.notifier.or_default(),
            held: HeldKeys::default(),
            tasks: seaworthy_store::tasks::Tasks::default(),
            warned: std::sync::Once::new(),
        })))
    }
}

impl LedgerBuilder<Memory> {
    /// The most keys. Default 100,000, at least 1. Beyond it those that are done are forgotten before their time; see
    /// [`Memory`].
    pub fn max(mut self, keys: usize) -> LedgerBuilder<Memory> {
        match Memory::new(keys) {
            Ok(store) => (self.store, self.flaw) = (store, None),
            Err(flaw) => self.flaw = Some(flaw),
        }
        self
    }
}
