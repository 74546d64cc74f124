use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use seaworthy::ConfigError;

use crate::key_map::hash_of;

const MOST_SCOPE: usize = 100;
const MOST_KEY: usize = 255;
/// Of a key's value in errors and logs.
const SHOWN: usize = 16;

/// What a piece of work is called: a scope, such as a kind of operation or a tenant, and a key within it.
///
/// It names the operation, not the resource: `cluster:upgrade:<cluster>` that was done once would swallow every later
/// upgrade of that cluster. So a key has something in it that is new for each request, and the same when that request
/// is repeated; [`Key::operation`] asks for it.
///
/// ```
/// use seaworthy_ledger::Key;
///
/// let key = Key::operation("upgrade", "cluster-7", "req-81f2")?;
/// assert_eq!((key.scope(), key.value()), ("upgrade", "cluster-7:req-81f2"));
/// assert!(Key::operation("upgrade", "cluster-7", "").is_err());
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Of the text. First, because keys that differ in it need no other look.
    hash: u64,
    /// The scope, then the value.
    text: Arc<str>,
    split: u8,
}

impl Key {
    /// A key from its two parts.
    ///
    /// # Errors
    /// If the scope is not 1 to 100 bytes, the value not 1 to 255 bytes, or one of them has control characters.
    pub fn new(scope: &str, value: &str) -> Result<Key, ConfigError> {
        check("scope", scope, MOST_SCOPE, "must be 1 to 100 bytes")?;
        check("key", value, MOST_KEY, "must be 1 to 255 bytes")?;
        let mut text = String::with_capacity(scope.len() + value.len());
        text.push_str(scope);
        text.push_str(value);
        // Checked: at most 100.
        let split = u8::try_from(scope.len()).unwrap_or(u8::MAX);
        Ok(Key { hash: hash_of(&text), text: text.into(), split })
    }

    /// The key of one request to do one kind of thing to one resource: scope `kind`, value `resource:request`.
    ///
    /// # Errors
    /// As [`Key::new`]; and if the resource or the request is empty.
    pub fn operation(kind: &str, resource: &str, request: &str) -> Result<Key, ConfigError> {
        check("resource", resource, MOST_KEY, "must be 1 to 255 bytes")?;
        check("request", request, MOST_KEY, "must be 1 to 255 bytes")?;
        Key::new(kind, &format!("{resource}:{request}"))
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.text.get(..usize::from(self.split)).unwrap_or_default()
    }

    /// The key within the scope.
    #[must_use]
    pub fn value(&self) -> &str {
        self.text.get(usize::from(self.split)..).unwrap_or_default()
    }

    /// 32 hex digits of a hash (SHA-256, cut to 128 bits) of scope and key: the same for every claim of it, to be sent
    /// to a remote that honours such keys.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        self.hashed(&[])
    }

    /// The same for one step of the work.
    pub(crate) fn hashed(&self, step: &[u8]) -> String {
        let mut hash = hmac_sha256::Hash::new();
        // The length keeps `a` + `bc` and `ab` + `c` apart.
        hash.update([self.split]);
        hash.update(self.text.as_bytes());
        if !step.is_empty() {
            hash.update([0]);
            hash.update(step);
        }
        let digest = hash.finalize();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn check(field: &'static str, text: &str, most: usize, rule: &'static str) -> Result<(), ConfigError> {
    let refuse = |rule| Err(ConfigError::new("ledger key", field, shortened(text), rule));
    if !(1..=most).contains(&text.len()) {
        return refuse(rule);
    }
    if text.chars().any(char::is_control) {
        return refuse("must not have control characters");
    }
    Ok(())
}

/// As much of it as errors and logs may show.
fn shortened(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    format!("{}…", text.get(..text.floor_char_boundary(SHOWN)).unwrap_or_default())
}

/// Of the text alone: keys that differ in nothing but where the scope ends are rare.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The scope, and the first 16 bytes of the key.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scope(), shortened(self.value()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
