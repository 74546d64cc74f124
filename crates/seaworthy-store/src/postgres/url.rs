//! What a URL asks for.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::StoreError;
use crate::postgres::classify::store_error;

/// The options of a connection, without the password's ever being shown.
///
/// A URL that names the certificates to trust and no `sslmode` is taken to want them looked at. One that asks for TLS
/// and for less than that gets what it asks for, and a warning.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| store_error("connect", error))?
        // A pooler may refuse what it does not know; we read numbers as bytes, and so need no digits.
        .extra_float_digits(None)
        .disable_statement_logging();
    let asks = |parameter: &str| url.split_once('?').is_some_and(|(_, query)| query.contains(parameter));
    if asks("sslrootcert=") && !asks("sslmode=") && !asks("ssl-mode=") {
        return Ok(options.ssl_mode(PgSslMode::VerifyFull));
    }
    if matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa) {
        let mode = options.get_ssl_mode();
        tracing::warn!(target: "seaworthy::store", ?mode, "not verified that the server is the one that was asked for");
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05: certificates that are named are looked at, unless the URL asks for less.
    #[test]
    fn named_certificates_are_looked_at() {
        let mode = |query: &str| {
            let mode = options(&format!("postgres://u@db.example/app{query}")).unwrap().get_ssl_mode();
            format!("{mode:?}")
        };
        assert_eq!(mode("?sslrootcert=/ca.pem"), "VerifyFull");
        assert_eq!(mode("?sslmode=verify-full"), "VerifyFull");
        assert_eq!(mode("?sslrootcert=/ca.pem&sslmode=require"), "Require");
        assert_eq!(mode("?sslmode=disable"), "Disable");
    }
}
