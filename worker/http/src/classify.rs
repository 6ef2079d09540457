//! Finds out why a request got no answer, by the errors of the client below it. Pure.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use crate::failure::{Breach, HttpError, Unreachable};
use crate::resolver::NoPublicAddress;

/// The failure of a request that was given `timeout` in all.
pub fn classify(error: &reqwest::Error, timeout: Duration) -> HttpError {
    if error.is_connect() {
        return HttpError::Connect {
            cause: unreachable(error),
        };
    }
    if error.is_timeout() {
        return HttpError::Timeout { after: timeout };
    }
    if error.is_builder() {
        return HttpError::Invalid {
            reason: "the url".into(),
        };
    }
    let is_answer = error.is_body() || error.is_decode();
    HttpError::Broken {
        reason: breach(error).unwrap_or(if is_answer {
            Breach::Reading
        } else {
            Breach::Sending
        }),
    }
}

/// An error and its causes. An `io::Error` hides what it wraps from its sources.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped
            .map(|wrapped| wrapped as &(dyn Error + 'static))
            .or_else(|| error.source())
    })
}

fn unreachable(error: &reqwest::Error) -> Unreachable {
    let causes: Vec<_> = causes(error).collect();
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<TlsError>()) {
        return of_tls(tls);
    }
    if causes.iter().any(|cause| cause.is::<NoPublicAddress>()) {
        return Unreachable::NotPublic;
    }
    // The resolver's errors have no kind of their own.
    if causes.iter().any(|cause| cause.to_string() == "dns error") {
        return Unreachable::NoHost;
    }
    let kinds = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    let named = kinds.map(io::Error::kind).find_map(of_connection);
    match named {
        Some(named) => named,
        None if error.is_timeout() => Unreachable::ConnectTimeout,
        None => Unreachable::Other,
    }
}

fn of_connection(kind: io::ErrorKind) -> Option<Unreachable> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => Unreachable::Refused,
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => Unreachable::NoRoute,
        io::ErrorKind::PermissionDenied => Unreachable::Forbidden,
        io::ErrorKind::TimedOut => Unreachable::ConnectTimeout,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Unreachable::CutOff,
        _ => return None,
    })
}

fn of_tls(error: &TlsError) -> Unreachable {
    match error {
        TlsError::InvalidCertificate(certificate) => of_certificate(certificate),
        TlsError::InvalidMessage(_) => Unreachable::NoTls,
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => Unreachable::WantsCertificate,
        TlsError::AlertReceived(_) | TlsError::PeerIncompatible(_) => Unreachable::TlsRefused,
        _ => Unreachable::Other,
    }
}

fn of_certificate(error: &CertificateError) -> Unreachable {
    match error {
        // A signature that does not fit is that of another authority with the name of a trusted one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Unreachable::Untrusted,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Unreachable::Expired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Unreachable::WrongName
        }
        CertificateError::Revoked => Unreachable::Revoked,
        _ => Unreachable::BadCertificate,
    }
}

fn breach(error: &reqwest::Error) -> Option<Breach> {
    let mut found = None;
    for cause in causes(error) {
        if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            if http.is_parse_too_large() {
                return Some(Breach::LargeHead);
            }
            if http.is_parse() {
                return Some(Breach::NotHttp);
            }
            if http.is_incomplete_message() && !error.is_body() && !error.is_decode() {
                found = Some(Breach::Closed);
            }
        }
        if let Some(system) = cause.downcast_ref::<io::Error>()
            && matches!(
                system.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
            )
        {
            found = Some(Breach::Reset);
        }
    }
    found
}
