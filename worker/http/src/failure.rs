//! The ways in which a request gets no answer; each way of not connecting has a reason of its own, and says what to do.
//! None of them holds a URL, a header or a part of a body.

use std::time::Duration;

#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the request was refused: {reason}")]
    Refused { reason: String },
    #[error("the request is not valid: {reason}")]
    Invalid { reason: String },
    #[error("no answer within {} ms", .after.as_millis())]
    Timeout { after: Duration },
    #[error("could not connect: {cause}")]
    Connect { cause: Unreachable },
    #[error("the connection broke: {reason}")]
    Broken { reason: Breach },
    #[error("the answer has more than {most} bytes")]
    TooLarge { most: usize },
}

/// The reason why there is no connection, or none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    #[error("connection refused: nothing listens at that host and port")]
    Refused,
    #[error("host not found: check the name, and the name server of the worker's machine")]
    NoHost,
    #[error(
        "the host's address is not public: the worker calls such addresses only where its file names host or network in webhooks, or with --allow-private-addresses"
    )]
    NotPublic,
    #[error("no route to the host: check the network between the worker and the host")]
    NoRoute,
    #[error("not allowed: a firewall or the system keeps the worker from this address")]
    Forbidden,
    #[error("no connection in time: the host does not answer, or a firewall drops what is sent to it")]
    ConnectTimeout,
    #[error(
        "certificate not trusted: add the authority that signed it to the certificates of the worker's system, or SSL_CERT_FILE"
    )]
    Untrusted,
    #[error("certificate expired, or not valid yet: renew it, or set the clock of the worker's machine")]
    Expired,
    #[error("certificate is for another host: use a name that it holds, or renew it with this one")]
    WrongName,
    #[error("certificate revoked: the endpoint needs another one")]
    Revoked,
    #[error(
        "certificate not accepted: it is signed by itself, or not meant for a server; the endpoint needs one of an authority that is trusted"
    )]
    BadCertificate,
    #[error("the endpoint does not speak TLS at this port: use http://, or the port of https")]
    NoTls,
    #[error("the endpoint wants a certificate of the client, which the worker has not")]
    WantsCertificate,
    #[error("TLS was refused by the endpoint: it may not know the host's name, or speak TLS older than 1.2")]
    TlsRefused,
    #[error("the endpoint broke the connection while it was made")]
    CutOff,
    #[error("could not connect")]
    Other,
}

/// The reason why an answer did not come over a connection that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    #[error(
        "the endpoint reset the connection before it answered: it may have ended, or the port may speak https://"
    )]
    Reset,
    #[error(
        "the endpoint closed the connection before it answered: it may have ended, or the port may speak https://"
    )]
    Closed,
    #[error("the answer is not HTTP/1.1: the port may speak https://, or another protocol")]
    NotHttp,
    #[error("the answer's headers are too large")]
    LargeHead,
    #[error("while the request was sent")]
    Sending,
    #[error("while the answer was read")]
    Reading,
}
